"""docs/edge.md tells the truth: nginx and Varnish take the files as it says. What they do then, tests/edge knows."""

from pathlib import Path

from bench.processes import answers, free_port
from tests.docs.blocks import Blocks, runs
from tests.docs.shells import shell, until
from tests.edge.caches import COMMANDS
from tests.programs import program


@runs("docs/edge.md#nginx", "sh")
def test_nginx_takes_the_file_and_serves_with_it(tmp_path: Path, blocks: Blocks) -> None:
    [block] = blocks
    site = tmp_path / "site"
    site.mkdir()
    # What the page calls the lines marked SITE, and a main configuration that includes the file.
    command = " ".join(COMMANDS["nginx"](program("nginx"), free_port(), free_port(), site))
    main = site / "nginx.conf"
    main.write_text(main.read_text().replace("daemon off;", "daemon on;"))
    changed = (site / "tidemark.conf").rename(site / "changed.conf")
    here = {
        "/etc/nginx/conf.d/": f"{site}/",
        "nginx -t": f"cp {changed} {site}/tidemark.conf && {command} -t",
        "nginx -s reload": f"{command} && {command} -s stop",
    }
    with shell(tmp_path, free_port(), here) as bash:
        said = bash.type(block.text).read_text()
    assert "syntax is ok" in said and "test is successful" in said


@runs("docs/edge.md#varnish", "sh")
def test_varnish_compiles_the_file_and_serves_with_it(tmp_path: Path, blocks: Blocks) -> None:
    [block] = blocks
    port = free_port()
    here = {
        "varnishd -C": f"{program('varnishd')} -j none -n {tmp_path}/work -C",
        "varnishd -a :8080": f"{program('varnishd')} -j none -n {tmp_path}/work -F -a 127.0.0.1:{port}",
    }
    with shell(tmp_path, port, here) as bash:
        log = bash.type(block.text, goes_on=True)
        until(lambda: answers(port), log.read_text)
