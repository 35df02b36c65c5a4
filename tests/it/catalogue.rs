//! `reports/features.md` and `reports/data.json`: nothing is left out.

use crate::shop::Shop;

#[test]
fn every_view_and_column_is_in_the_catalogue() {
    let shop = Shop::new(12);
    shop.must(&["run"]);
    let catalogue = shop.read("reports/features.md");
    let declared = selvedge::open(Some(&shop.path(""))).unwrap().library.feature_columns();
    assert!(declared.len() >= 45, "{}", declared.len());
    for feature in &declared {
        assert!(catalogue.contains(&format!("\n## {}\n", feature.view)), "{}", feature.view);
        let line = catalogue.lines().find(|line| line.starts_with(&format!("| `{}` |", feature.name)));
        let line = line.unwrap_or_else(|| panic!("{} is not in the catalogue", feature.name));
        assert!(line.contains("combined") || line.contains("ranking of the lists"), "{line}");
        // Vectors alone have nothing to draw.
        let drawn = declared.iter().any(|other| other.view == feature.view && other.column.unit != "vector");
        assert_eq!(shop.path(&format!("reports/charts/features-{}.png", feature.view)).is_file(), drawn);
    }

    let data: serde_json::Value = serde_json::from_str(&shop.read("reports/data.json")).unwrap();
    let file = &data["files"]["products.csv"];
    assert_eq!(file["rows"].as_u64().unwrap(), 60);
    // What is counted is what stands in the fixture: numbers used again by other articles every season.
    let again =
        ["number_came_back", "number_reassigned"].map(|code| file["odd_but_used"][code]["rows"].as_u64().unwrap());
    assert_eq!(again.iter().sum::<u64>(), 48);
    assert_eq!(file["columns"]["price_eur"]["looks_like"], "number");
    assert_eq!(file["columns"]["on_sale_from"]["looks_like"], "date");
    assert_eq!(file["columns"]["brand"]["padded"], 20);
    let told = shop.read("reports/data.md");
    for (name, file) in data["files"].as_object().unwrap() {
        assert!(told.contains(&format!("## {name}\n")), "{name}");
        for kind in ["set_aside_because", "odd_but_used"] {
            for (code, met) in file[kind].as_object().unwrap() {
                let found = met["found"].as_str().unwrap().replace('&', "&amp;");
                let plain = met["found"].as_str().unwrap();
                assert!(told.contains(&found) || told.contains(plain), "{code} is not in data.md");
            }
        }
    }
}
