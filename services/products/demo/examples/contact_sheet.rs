//! Writes every picture into a folder: `cargo run -p demo-catalogue --example contact_sheet -- FOLDER`.

use demo_catalogue::{View, products};

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "pictures".to_owned());
    std::fs::create_dir_all(&folder)?;
    for product in products() {
        for view in View::ALL {
            std::fs::write(format!("{folder}/{}", product.file_name(view)), product.view(view))?;
        }
    }
    Ok(())
}
