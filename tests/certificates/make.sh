#!/bin/sh
# Makes the certificates of this directory anew, in the current directory. Needs OpenSSL 3.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ec() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:"${2:-P-256}" -out "$work/$1.key" 2>/dev/null; }
rsa() { openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:"${2:-2048}" -out "$work/$1.key" 2>/dev/null; }
ed25519() { openssl genpkey -algorithm ED25519 -out "$work/$1.key"; }

DN='/C=DE/O=Example Bank/OU=Payments/CN=client.example'
CA='basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign'
CLIENT='basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
subjectAltName=DNS:Client.example,URI:https://client.example/id,IP:192.0.2.7,IP:2001:db8::7,email:Payments@Client.example'

# `openssl x509` of OpenSSL 3.0 can not set the beginning of the validity, `openssl ca` can.
cat >"$work/ca.cnf" <<END
[ca]
default_ca = any
[any]
database = $work/index
new_certs_dir = $work
rand_serial = yes
unique_subject = no
policy = anything
email_in_dn = yes
[anything]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
END
: >"$work/index"

# issue NAME SUBJECT ISSUER EXTENSIONS [OPTION…]: a certificate for NAME's key, signed by ISSUER, or by itself.
issue() {
  name=$1 subject=$2 issuer=$3
  printf '%s\n' "$4" >"$work/extensions"
  shift 4
  openssl req -new -key "$work/$name.key" -subj "$subject" -out "$work/$name.csr"
  if [ "$issuer" = "$name" ]; then
    set -- -selfsign "$@"
  else
    set -- -cert "$issuer.pem" "$@"
  fi
  openssl ca -config "$work/ca.cnf" -batch -notext -in "$work/$name.csr" -out "$name.pem" \
    -keyfile "$work/$issuer.key" -extfile "$work/extensions" -preserveDN -md default \
    -startdate 20200101000000Z -enddate "${until:-21260101000000Z}" "$@" 2>"$work/log" || { cat "$work/log"; exit 1; }
}

# Authorities.
ec ca; issue ca '/O=Example Trust/CN=Example Root' ca "$CA"
# Another one of the same name.
ec impostor-ca; issue impostor-ca '/O=Example Trust/CN=Example Root' impostor-ca "$CA"
ec p384-ca P-384; issue p384-ca '/O=Example Trust/CN=P-384 Root' p384-ca "$CA"
rsa weak-ca 1024; issue weak-ca '/O=Example Trust/CN=Weak Root' weak-ca "$CA"
rsa rsa-ca; issue rsa-ca '/O=Example Trust/CN=RSA Root' rsa-ca "$CA"
ed25519 ed25519-ca; issue ed25519-ca '/O=Example Trust/CN=Ed25519 Root' ed25519-ca "$CA"
ec old-ca; until=20210101000000Z issue old-ca '/O=Example Trust/CN=Old Root' old-ca "$CA"
ec silent-ca; issue silent-ca '/O=Example Trust/CN=Silent Root' silent-ca 'basicConstraints=critical,CA:TRUE
keyUsage=critical,cRLSign'
ec intermediate; issue intermediate '/O=Example Trust/CN=Example Intermediate' ca 'basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign'
ec too-deep; issue too-deep '/O=Example Trust/CN=Too Deep' intermediate "$CA"
ec silent-intermediate; issue silent-intermediate '/O=Example Trust/CN=Silent Intermediate' ca 'basicConstraints=critical,CA:TRUE
keyUsage=critical,cRLSign'
rsa weak-intermediate 1024; issue weak-intermediate '/O=Example Trust/CN=Weak Intermediate' ca "$CA"

# Clients, all of one name.
ec client; issue client "$DN" ca "$CLIENT"
ec other-client; issue other-client '/C=DE/O=Example Bank/OU=Payments/CN=other.example' ca 'basicConstraints=critical,CA:FALSE
extendedKeyUsage=clientAuth
subjectAltName=DNS:*.example,URI:https://client.example/id/,IP:192.0.2.8,email:payments@Client.example'
ec nameless; issue nameless '/' ca 'basicConstraints=critical,CA:FALSE
subjectAltName=critical,DNS:client.example'
ec of-intermediate; issue of-intermediate "$DN" intermediate "$CLIENT"
ec of-too-deep; issue of-too-deep "$DN" too-deep "$CLIENT"
ec of-silent-intermediate; issue of-silent-intermediate "$DN" silent-intermediate "$CLIENT"
ec of-weak-intermediate; issue of-weak-intermediate "$DN" weak-intermediate "$CLIENT"
ec of-client; issue of-client "$DN" client "$CLIENT"
ec of-old-ca; issue of-old-ca "$DN" old-ca "$CLIENT"
ec of-impostor; issue of-impostor "$DN" impostor-ca "$CLIENT"
ed25519 of-ed25519-ca; issue of-ed25519-ca "$DN" ed25519-ca "$CLIENT"
for digest in sha1 sha256 sha384 sha512; do
  rsa "rsa-$digest"; issue "rsa-$digest" "$DN" rsa-ca "$CLIENT" -md "$digest"
done
for digest in sha256 sha384 sha512; do
  ec "pss-$digest"
  issue "pss-$digest" "$DN" rsa-ca "$CLIENT" -md "$digest" -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest
done
ec ecdsa-sha384; issue ecdsa-sha384 "$DN" ca "$CLIENT" -md sha384
ec server-only; issue server-only "$DN" ca 'basicConstraints=critical,CA:FALSE
extendedKeyUsage=serverAuth'
ec critical; issue critical "$DN" ca "$CLIENT
1.3.6.1.4.1.55555.1=critical,DER:0500"
rsa weak 1024; issue weak "$DN" ca "$CLIENT"
ec p384 P-384; issue p384 "$DN" ca "$CLIENT"
ec self-signed; issue self-signed "$DN" self-signed "$CLIENT"
# The same key and name in another certificate.
cp "$work/self-signed.key" "$work/self-signed-again.key"
issue self-signed-again "$DN" self-signed-again "$CLIENT"
ec expired; until=20210101000000Z issue expired "$DN" expired "$CLIENT"

# For the tests that shake hands.
cp "$work/client.key" client.key.pem
cp "$work/self-signed.key" self-signed.key.pem
