//! What loads and what is refused, and why.

use crate::support::{App, component};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_and_its_part_answer_together() {
    let server = App::new().start().await;
    assert_eq!(server.get("/hello?name=Ada").await.body, "Hello, Ada! (1)");
    assert_eq!(server.get("/hello?name=Ada").await.body, "Hello, Ada! (2)");
    server.running.stop().await;
}

#[test]
fn a_part_that_imports_what_it_does_not_inherit_is_refused_by_name() {
    let app = App::new().replace("[\"key_value_stores\"] }", "[] }");
    let refusal = app.refusal();
    for word in ["attesto-test:greeter@0.1.0", "wasi:keyvalue/", "key_value_stores"] {
        assert!(refusal.contains(word), "{refusal} names {word}");
    }
}

#[test]
fn a_part_that_wants_the_parents_variables_is_refused_by_name() {
    let app =
        App::new().replace(component("greeter").to_str().unwrap(), component("hostile").to_str().unwrap());
    let refusal = app.refusal();
    for word in ["attesto-test:greeter@0.1.0", "spin:variables/variables@3.0.0", "\"variables\""] {
        assert!(refusal.contains(word), "{refusal} names {word}");
    }
    assert!(attesto_host::check(&app.path(), &app.options.variables).is_err(), "check says the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_inherits_variables_gets_them() {
    let server = App::new()
        .replace(component("greeter").to_str().unwrap(), component("hostile").to_str().unwrap())
        .replace("[\"key_value_stores\"] }", "[\"variables\"] }")
        .replace("[component.hello.variables]", "[component.hello.variables]\nsecret = \"{{ secret }}\"")
        .start()
        .await;
    assert_eq!(server.get("/hello?name=x").await.body, "hush");
    server.running.stop().await;
}

#[test]
fn check_accepts_what_loads() {
    let app = App::new();
    let manifest = attesto_host::check(&app.path(), &app.options.variables).unwrap();
    assert_eq!(manifest.name, "attesto-test-hello");
}

#[test]
fn a_key_this_host_does_not_know_is_refused_by_name() {
    for (after, key) in [
        ("[component.hello]\n", "sqlite_databases"),
        ("[component.hello]\n", "environment"),
        ("[component.hello]\n", "surprise"),
        ("[application]\n", "surprise"),
        ("[[trigger.http]]\n", "executor"),
    ] {
        let refusal = App::new().replace(after, &format!("{after}{key} = 1\n")).refusal();
        assert!(refusal.contains(&format!("`{key}`")), "{refusal}");
    }
    let refusal = App::new().replace("[[trigger.http]]", "[[trigger.redis]]").refusal();
    assert!(refusal.contains("`redis`"), "{refusal}");
}

#[test]
fn values_that_cannot_work_are_refused_at_their_key() {
    let dependency = "\"attesto-test:greeter@0.1.0\"";
    for (from, to, expected) in [
        ("spin_manifest_version = 2", "spin_manifest_version = 1", "spin_manifest_version"),
        ("component = \"hello\"", "component = \"nobody\"", "nobody"),
        ("route = \"/...\"", "route = \"/:id\"", "/:id"),
        ("{ default = \"good day\" }", "{ secret = true }", "variables.greeting"),
        ("{{ secret }}", "{{ sceret }}", "sceret"),
        ("[\"key_value_stores\"] }", "[\"key_value_store\"] }", "key_value_store"),
        (dependency, "\"attesto-test:greeter/greet@0.1.0\"", "whole WIT package"),
        (dependency, "\"attesto-test:other@0.1.0\"", "attesto-test:other@0.1.0"),
        (dependency, "\"attesto-test:greeter@0.2.0\"", "attesto-test:greeter@0.2.0"),
        ("files = [\"attesto-test.txt\"]", "files = [\"../x\"]", "component.hello.files"),
        ("files = [\"attesto-test.txt\"]", "files = [\"missing.txt\"]", "missing.txt"),
        (
            "allowed_outbound_hosts = []",
            "allowed_outbound_hosts = [\"example.com\"]",
            "allowed_outbound_hosts",
        ),
    ] {
        let app = App::new().replace(from, to);
        let refusal = app.refusal();
        assert!(refusal.contains(expected), "{to}: {refusal}");
        let checked = attesto_host::check(&app.path(), &app.options.variables);
        assert_eq!(checked.unwrap_err().to_string(), refusal, "check says the same");
    }
}

#[test]
fn two_entries_for_one_wit_package_are_refused() {
    let app = App::new();
    let line = app.manifest.lines().find(|line| line.starts_with("\"attesto-test")).unwrap().to_owned();
    let again = line.replace("greeter@0.1.0\"", "greeter\"");
    let refusal = app.replace(&line, &format!("{line}\n{again}")).refusal();
    assert!(refusal.contains("already satisfied"), "{refusal}");
}

#[test]
fn a_main_component_without_its_part_is_refused() {
    let app = App::new();
    let line = app.manifest.lines().find(|line| line.starts_with("\"attesto-test")).unwrap().to_owned();
    let refusal = app.replace(&line, "").refusal();
    assert!(refusal.contains("attesto-test:greeter/greet@0.1.0"), "{refusal}");
}

#[test]
fn a_required_variable_without_a_value_is_refused_by_name() {
    let mut app = App::new();
    app.options.variables.clear();
    let refusal = app.refusal();
    assert!(refusal.contains("secret") && refusal.contains("SPIN_VARIABLE_SECRET"), "{refusal}");
}

#[test]
fn a_value_for_an_undeclared_variable_is_refused_by_name() {
    let mut app = App::new();
    app.options.variables.insert("greating".to_owned(), String::new());
    assert!(app.refusal().contains("greating"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_reads_its_own_variables_only() {
    let server = App::new().start().await;
    assert_eq!(server.get("/variable?name=greeting").await.body, "good day, hush");
    assert!(server.get("/variable?name=secret").await.body.contains("Undefined"));
    assert!(server.get("/variable?name=No-Name").await.body.contains("InvalidName"));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mounted_files_are_read_only_and_the_main_components_alone() {
    let server = App::new()
        .replace(
            "files = [\"attesto-test.txt\"]",
            "files = [\"*.txt\", { source = \"attesto-test.txt\", destination = \"/etc/a.txt\" }]",
        )
        .start()
        .await;
    assert_eq!(server.get("/file?path=/attesto-test.txt").await.body, "mounted\n");
    assert_eq!(server.get("/file?path=/etc/a.txt").await.body, "mounted\n");
    assert_eq!(server.get("/write?path=/attesto-test.txt").await.status, 418);
    assert_eq!(server.get("/file?path=/../etc/passwd").await.status, 418);
    assert_eq!(server.get("/part-file?path=/attesto-test.txt").await.status, 418);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_inherits_files_sees_them() {
    let server =
        App::new().replace("[\"key_value_stores\"] }", "[\"key_value_stores\", \"files\"] }").start().await;
    assert_eq!(server.get("/part-file?path=/attesto-test.txt").await.body, "mounted\n");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn components_see_no_environment_and_have_no_sockets() {
    let server = App::new().start().await;
    assert_eq!(server.get("/environment").await.body, "");
    let address = server.address;
    assert_eq!(server.get(&format!("/connect?to={address}")).await.status, 418);
    server.running.stop().await;
}
