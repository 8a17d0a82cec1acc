//! A part that reads a variable it was not given.

#[expect(unsafe_code, reason = "generated")]
mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: r#"
            package attesto-test:greeter@0.1.0;

            interface greet {
                /// A greeting, and how many times this name has been greeted.
                greet: async func(name: string) -> result<string, string>;
                /// A file, if the part may see it.
                read-file: async func(path: string) -> result<string, string>;
            }

            world greeter {
                export greet;
            }
        "#,
        world: "greeter",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });
    export!(Greeter with_types_in self);
    pub struct Greeter;
}

use bindings::Greeter;
use bindings::exports::attesto_test::greeter::greet::Guest;

impl Guest for Greeter {
    async fn greet(_: String) -> Result<String, String> {
        spin_sdk::variables::get("secret").await.map_err(|error| error.to_string())
    }

    async fn read_file(_: String) -> Result<String, String> {
        Err("not interested".to_owned())
    }
}
