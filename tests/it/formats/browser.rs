//! Pages as people see them: in a real browser, on a phone and on a desk, light and dark. The gate
//! runs this; its pictures stay in `target/tmp/pages` to be looked at.
//!
//! The pages come from a server under the policy that Jenkins sets for archived ones: were style not
//! in its own file, the paper would have another colour.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use fit_sync::render::html::{PAGE_FILE, STYLE, STYLE_FILE, Style};
use flate2::read::ZlibDecoder;

use super::worlds::{TITLES, apply_page, hostile, plan_page, report, rich};
use crate::support::scenario::Scenario;

const BROWSER: &str = "chromium";
const WIDTHS: [u32; 2] = [390, 1280];
const HEIGHT: u32 = 2000;
/// The paper of the style, and what the browser calls that scheme.
const SCHEMES: [(&str, &str, [u8; 3]); 2] =
    [("light", "1", [0xff, 0xff, 0xff]), ("dark", "0", [0x10, 0x15, 0x1a])];

/// What Jenkins sends with every archived page (`hudson.model.DirectoryBrowserSupport.CSP`, 2026-11).
const POLICY: &str = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';";

/// Serves the files of a folder under that policy until the tests end, and gives its address.
fn serve(root: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let root = root.clone();
            // Browsers open lines that they never use; nobody waits for those.
            std::thread::spawn(move || answer(&stream, &root));
        }
    });
    address
}

fn answer(mut stream: &TcpStream, root: &Path) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let kind = if path.ends_with(".css") { "text/css" } else { "text/html; charset=utf-8" };
    let (status, body) = match fs::read(root.join(path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         content-security-policy: {POLICY}\r\nx-content-type-options: nosniff\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    // A browser that has closed the line has seen enough.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

/// Runs the browser on a page and gives what it prints; a browser that stumbles may try again.
fn browse(page: &str, args: &[String]) -> String {
    for _ in 0..3 {
        let profile = tempfile::tempdir().unwrap();
        let output = Command::new("timeout")
            .args(["60", BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--allow-file-access-from-files", "--force-device-scale-factor=1"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(args)
            .arg(page)
            .output()
            .unwrap();
        if output.status.success() {
            return String::from_utf8_lossy(&output.stdout).into_owned();
        }
    }
    panic!("{BROWSER} does not open {page}");
}

/// How often each colour stands in a picture, and its size.
struct Picture {
    width: u32,
    height: u32,
    colours: HashMap<[u8; 3], usize>,
}

/// Reads a PNG of 8 bits a channel that is not interlaced, as browsers write them.
fn picture(bytes: &[u8]) -> Picture {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let (width, height) = (number(16), number(20));
    assert_eq!((bytes[24], bytes[28]), (8, 0), "another kind of PNG");
    let channels = if bytes[25] == 6 { 4 } else { 3 };
    let (mut packed, mut at) = (Vec::new(), 8);
    while at + 8 < bytes.len() {
        let length = number(at) as usize;
        if &bytes[at + 4..at + 8] == b"IDAT" {
            packed.extend_from_slice(&bytes[at + 8..at + 8 + length]);
        }
        at += length + 12;
    }
    let mut raw = Vec::new();
    ZlibDecoder::new(packed.as_slice()).read_to_end(&mut raw).unwrap();
    let mut colours = HashMap::new();
    let mut above = vec![0_u8; width as usize * channels];
    for line in raw.chunks_exact(above.len() + 1) {
        above = unfiltered(line[0], &line[1..], &above, channels);
        for pixel in above.chunks_exact(channels) {
            *colours.entry([pixel[0], pixel[1], pixel[2]]).or_default() += 1;
        }
    }
    Picture { width, height, colours }
}

fn unfiltered(filter: u8, line: &[u8], above: &[u8], channels: usize) -> Vec<u8> {
    let mut out = vec![0_u8; line.len()];
    for place in 0..line.len() {
        let before = |row: &[u8]| place.checked_sub(channels).map_or(0, |place| row[place]);
        let (left, up, corner) = (before(&out), above[place], before(above));
        let guess = match filter {
            0 => 0,
            1 => left,
            2 => up,
            3 => u8::try_from((u16::from(left) + u16::from(up)) / 2).unwrap(),
            _ => nearest(left, up, corner),
        };
        out[place] = line[place].wrapping_add(guess);
    }
    out
}

/// Of the three neighbours the one nearest to where they lead.
fn nearest(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i32::from(left) + i32::from(up) - i32::from(corner);
    let far = |neighbour: u8| (guess - i32::from(neighbour)).abs();
    if far(left) <= far(up) && far(left) <= far(corner) {
        left
    } else if far(up) <= far(corner) {
        up
    } else {
        corner
    }
}

/// Every day of years, with long names: nothing may make a page wider than its window.
fn long() -> Scenario {
    let rows: String = (0..400)
        .map(|n| {
            let start = jiff::Timestamp::from_second(1_700_000_000 + n * 86_400).unwrap();
            format!(
                "{n} {start} open_water_swimming 3600s 30000m \"{}\"\n",
                "Langstrecke".repeat(9)
            )
        })
        .collect();
    let name = format!("{}_s", "long_name_".repeat(6));
    Scenario::new().rule(&format!("{name} -> archive")).has(&name, &rows)
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let (rich, hostile, long) =
        (rich().plan().document, hostile().plan().document, long().plan().document);
    let told = report(&rich, "the destination has 10055 m where 10012 m were sent");
    let bad = report(&hostile, TITLES[5]);
    let pages = [
        ("plan", plan_page(&rich, Style::Beside)),
        ("apply", apply_page(&rich, &told, Some("garmin_us: the session has ended"))),
        ("hostile", plan_page(&hostile, Style::Beside)),
        ("hostile-apply", apply_page(&hostile, &bad, Some(TITLES[8]))),
        ("long", plan_page(&long, Style::Beside)),
    ];
    let written = pages.into_iter().map(|(name, page)| {
        let folder = root.join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(STYLE_FILE), STYLE).unwrap();
        fs::write(folder.join(PAGE_FILE), page).unwrap();
        folder.join(PAGE_FILE)
    });
    written.collect()
}

#[test]
#[ignore = "needs chromium; the gate has it"]
fn pages_are_seen() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    let pages = pages(&root);
    let host = serve(root.clone());
    for page in pages.iter().take(2) {
        let name = page.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        for width in WIDTHS {
            for (scheme, number, paper) in SCHEMES {
                let file = root.join(format!("{name}-{width}-{scheme}.png"));
                let _ = fs::remove_file(&file);
                browse(
                    &format!("{host}/{name}/{PAGE_FILE}"),
                    &[
                        format!("--window-size={width},{HEIGHT}"),
                        format!("--blink-settings=preferredColorScheme={number}"),
                        format!("--screenshot={}", file.display()),
                    ],
                );
                let picture = picture(&fs::read(&file).unwrap());
                assert_eq!((picture.width, picture.height), (width, HEIGHT), "{name}");
                let number = picture.colours.len();
                assert!(number > 100, "{name} {width} {scheme}: only {number} colours");
                let most = picture.colours.iter().max_by_key(|(_, number)| **number).unwrap();
                assert_eq!(*most.0, paper, "{name} {width} {scheme}: another paper");
                assert!(*most.1 < (width * HEIGHT) as usize * 99 / 100, "{name}: blank");
            }
        }
    }
}

/// Each page in a frame as wide as a phone; what sticks out is measured from outside, for pages have
/// no script.
#[test]
#[ignore = "needs chromium; the gate has it"]
fn no_page_scrolls_sideways() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages-measured");
    let mut pages = pages(&root);
    let wide = root.join("wide.html");
    fs::write(&wide, "<!DOCTYPE html><p style=\"width:500px\">wide").unwrap();
    pages.push(wide);
    let frames = pages.iter().flat_map(|page| {
        [320, 390, 700, 1000, 1280].map(|width| {
            let address = page.display();
            format!("<iframe width=\"{width}\" height=\"800\" src=\"file://{address}\"></iframe>\n")
        })
    });
    let probe = root.join("probe.html");
    let script = "addEventListener('load', () => {
        const told = [...document.querySelectorAll('iframe')].map((frame) => {
            const page = frame.contentDocument;
            page.querySelectorAll('details').forEach((fold) => { fold.open = true; });
            const root = page.documentElement;
            const name = frame.src.split('/').slice(-2).join('/');
            return `measured ${name} ${frame.width} ${root.scrollWidth} ${root.scrollHeight}`;
        });
        document.body.innerText = told.join('\\n');
    });";
    let frames: String = frames.collect();
    let text = format!("<!DOCTYPE html><body>{frames}<script>{script}</script></body>");
    fs::write(&probe, text).unwrap();
    let told = browse(
        &format!("file://{}", probe.display()),
        &["--virtual-time-budget=20000".to_owned(), "--dump-dom".to_owned()],
    );
    let told = told.replace("<br>", "\n");
    let lines: Vec<Vec<&str>> = told
        .lines()
        .filter_map(|line| line.split_once("measured "))
        .map(|(_, line)| line.split(['<', ' ']).collect())
        .collect();
    assert_eq!(lines.len(), pages.len() * 5, "{told}");
    let mut sideways = Vec::new();
    for line in &lines {
        let [name, width, found, height, ..] = line.as_slice() else {
            panic!("{line:?}");
        };
        let number = |text: &str| -> u32 { text.trim().parse().unwrap() };
        assert!(number(height) > 100, "{name} is empty");
        if number(found) > number(width) {
            sideways.push(format!("{name} {width} {found}"));
        }
    }
    let own = ["pages-measured/wide.html 320 508", "pages-measured/wide.html 390 508"];
    assert_eq!(sideways, own, "only the page that is made so");
}
