//! Lets cargo notice when a web part has been built: an embedded folder that is missing is not watched.

fn main() {
    for bundle in ["../web/dist/graphiql", "../web/dist/shop"] {
        if let Err(error) = std::fs::create_dir_all(bundle) {
            println!("cargo::warning=cannot make {bundle}: {error}; rebuild the gateway after building the web part");
        } else {
            println!("cargo::rerun-if-changed={bundle}");
        }
    }
    println!("cargo::rerun-if-changed=build.rs");
}
