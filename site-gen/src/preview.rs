//! TEMPORARY
#[path = "../tests/it/sample.rs"]
mod sample;
use crate::history::*;
use crate::*;
use pony_formats::*;
use std::collections::BTreeMap;
#[test]
fn preview() {
    let out = std::path::PathBuf::from("/tmp/preview");
    let _ = std::fs::remove_dir_all(&out);
    let now = sample::END.parse().unwrap();
    let w = |p: String, c: String| {
        let f = out.join(p);
        std::fs::create_dir_all(f.parent().unwrap()).unwrap();
        std::fs::write(f, c).unwrap();
    };
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for (n, (submission, received)) in sample::history().into_iter().enumerate() {
        let key = ResultKey::new(received, n as u32);
        let receipt = Receipt {
            key,
            received,
            client: Some("atlas-bot".into()),
            client_ip: None,
            flags: ["sanitised".to_owned()].into(),
        };
        let name = submission.client_info.package().to_owned();
        let summary = pony_formats::record::Summary {
            receipt: receipt.clone(),
            client_info: submission.client_info.clone(),
            tally: submission.tally(),
        };
        let p = packages
            .entry(name.clone())
            .or_insert(Package { name: name.clone(), ..Default::default() });
        p.rows.push(Row::new(&summary, format!("{:040x}", 0xdeadbeefu64 * n as u64 * 77777)));
        let result = TestResult { receipt, submission };
        let art = [pony_store::Artifact {
            filename: "wheel-1.0-py3.whl".into(),
            description: "the wheel".into(),
            size: 123456,
            sha256: "ab".repeat(32),
            visible: true,
        }];
        let (view, full) = view::ResultView::new(&result, &art, true);
        let html = pages::result(&view, &p.rows.last().unwrap().commit, pages::Place::Own).unwrap();
        for f in full {
            w(format!("p/{}/{key}/{}", p.folder(), f.file()), f.text.into());
        }
        w(format!("p/{}/{key}/index.html", p.folder()), html);
    }
    let mut packages: Vec<_> = packages.into_values().collect();
    packages[2].unreadable.push(Unreadable {
        key: ResultKey::new(now, 3),
        commit: "ab".repeat(20),
        reason: "steps/00/outcomes.txt: expected 340 letters, found 12".into(),
    });
    for p in &packages {
        w(format!("p/{}/index.html", p.folder()), pages::package(p, now).unwrap());
        w(format!("p/{}/index.json", p.folder()), published::package(p, now));
        for c in pages::chunks(&p.rows) {
            w(
                format!("p/{}/{}/index.html", p.folder(), c.folder()),
                pages::show_all(p, &c, now).unwrap(),
            );
        }
    }
    w("index.html".into(), pages::index(&packages, &"12ab".repeat(10), now).unwrap());
    w("404.html".into(), pages::not_found(None).unwrap());
    w(
        "rss2/all.xml".into(),
        feeds::overall(&packages, feeds::Selection::All, Some("https://ci.example.org/")).unwrap(),
    );
    w("index.json".into(), published::index(&packages, "x", now));
    for f in ["style.css", "favicon.svg"] {
        w(f.into(), std::fs::read_to_string(format!("templates/{f}")).unwrap());
    }
}
