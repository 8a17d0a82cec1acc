//! A part: greets, counts in a key-value store, and tries to read a file that only its parent may read.

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
use spin_sdk::experimental::wasi::keyvalue::{atomics, store};

impl Guest for Greeter {
    async fn greet(name: String) -> Result<String, String> {
        let bucket = store::open("default").map_err(|error| format!("{error:?}"))?;
        let count = atomics::increment(&bucket, &format!("greeted:{name}"), 1)
            .map_err(|error| format!("{error:?}"))?;
        Ok(format!("Hello, {name}! ({count})"))
    }

    async fn read_file(path: String) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }
}
