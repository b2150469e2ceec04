"""Database URLs: their forms, clusters, TLS, and what is said about a wrong one."""

from __future__ import annotations

import datetime
import decimal
import os
import socket
import ssl
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql.connections
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pymysql import converters
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from taskmanager.domain.errors import ConfigurationError, StorageError
from taskmanager.storage import pymysql_connection, urls
from taskmanager.storage.database import Database
from tests.conftest import server_of

SECRET = "pa55word"


def arguments(url: str) -> list[dict[str, Any]]:
    """What the driver is given for each URL to try."""
    nodes = urls.hosts(urls.parse(url))
    return [dict(node.get_dialect()().create_connect_args(node)[1]) for node in nodes]


def rendered(url: URL) -> str:
    return url.render_as_string(hide_password=False)


# -- forms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("mysql://u:p@h/d", "mysql+pymysql"),
        ("mysql+pymysql://u:p@h/d", "mysql+pymysql"),
        ("MySQL://u:p@h/d", "mysql+pymysql"),
        ("mariadb://u:p@h/d", "mariadb+pymysql"),
        ("mariadb+pymysql://u:p@h/d", "mariadb+pymysql"),
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgres+psycopg://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg"),
        ("  mysql://u:p@h/d\n", "mysql+pymysql"),
    ],
)
def test_the_usual_forms_get_the_driver_that_is_installed(given: str, driver: str) -> None:
    parsed = urls.parse(given)
    assert parsed.drivername == driver
    assert (parsed.username, parsed.password, parsed.host, parsed.database) == ("u", "p", "h", "d")
    assert urls.hosts(parsed) == [parsed]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("sqlite:///shop.db", "shop.db"),
        ("sqlite:///data/shop.db", "data/shop.db"),
        ("sqlite:////var/lib/shop.db", "/var/lib/shop.db"),
        ("sqlite:///C:/data/shop.db", "C:/data/shop.db"),
        ("sqlite+pysqlite:///with space, comma & ünïcode.db", "with space, comma & ünïcode.db"),
    ],
)
def test_sqlite_takes_relative_absolute_and_windows_paths(given: str, path: str) -> None:
    parsed = urls.parse(given)
    assert (parsed.get_backend_name(), parsed.database) == ("sqlite", path)


@pytest.mark.parametrize(("option", "level"), [("", 1), ("?synchronous=normal", 1), ("?synchronous=full", 2)])
def test_an_sqlite_url_says_when_the_disk_is_waited_for(tmp_path: Path, option: str, level: int) -> None:
    database = Database(f"sqlite:///{tmp_path}/file.db{option}")
    for connect in (database.engine.connect, database.looking.connect, database.raw):
        with connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == level
    database.dispose()
    assert [file.name for file in tmp_path.glob("*.db*")] == ["file.db"]
    with pytest.raises(ConfigurationError, match="synchronous=off; it is NORMAL or FULL"):
        urls.parse("sqlite:///file.db?synchronous=off")


def test_an_sqlite_file_with_an_odd_name_is_opened(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/with space, comma & ünïcode.db")
    with database.engine.connect() as connection:
        connection.execute(text("CREATE TABLE t (x INT)"))
    database.dispose()
    assert (tmp_path / "with space, comma & ünïcode.db").stat().st_size > 0


def test_a_url_object_is_taken_as_well_as_text() -> None:
    given = URL.create("mysql", "u", "p@/:", "h", 3307, "d")
    parsed = urls.parse(given)
    assert (parsed.password, parsed.port, parsed.drivername) == ("p@/:", 3307, "mysql+pymysql")


def test_escapes_in_user_and_password_are_undone() -> None:
    parsed = urls.parse("mysql://us%40er:p%40ss%2Fw%3A%25@h/d")
    assert (parsed.username, parsed.password, parsed.host) == ("us@er", "p@ss/w:%", "h")


def test_an_ipv6_host_stands_in_brackets() -> None:
    assert (arguments("mysql://u:p@[::1]:3307/d")[0]["host"], urls.parse("mysql://u:p@[::1]/d").port) == ("::1", None)


def test_a_unix_socket_needs_no_host() -> None:
    assert arguments("mysql://u:p@/d?unix_socket=/run/mysqld.sock")[0]["unix_socket"] == "/run/mysqld.sock"
    assert arguments("postgresql://u:p@/d?host=/run/postgresql")[0]["host"] == "/run/postgresql"


@pytest.mark.parametrize("product", ["mysql", "mariadb"])
def test_mysql_speaks_utf8mb4_unless_told_otherwise(product: str) -> None:
    assert arguments(f"{product}://u:p@h/d")[0]["charset"] == "utf8mb4"
    assert arguments(f"{product}://u:p@h/d?charset=latin1")[0]["charset"] == "latin1"
    assert "charset" not in arguments("postgresql://u:p@h/d")[0]


def test_options_of_the_driver_are_passed_on() -> None:
    assert arguments("mysql://u:p@h/d?connect_timeout=3&read_timeout=20")[0].items() >= {
        "connect_timeout": 3, "read_timeout": 20,
    }.items()  # fmt: skip
    assert arguments("postgresql://u:p@h/d?application_name=shop")[0]["application_name"] == "shop"


def test_mysqlclient_is_served_when_it_is_installed() -> None:
    pytest.importorskip("MySQLdb")
    assert urls.parse("mysql+mysqldb://u:p@h/d").drivername == "mysql+mysqldb"
    assert urls.parse("mysql+mysqldb://u:p@h/d?ssl_disabled=true").query["ssl_mode"] == "DISABLED"
    with pytest.raises(ConfigurationError, match=r"several hosts, which needs PyMySQL: write mysql\+pymysql://"):
        urls.parse("mysql+mysqldb://u:p@a,b/d")


def test_a_driver_that_is_not_installed_is_named_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "MySQLdb", None)  # what the import system itself does for a module that is not
    with pytest.raises(ConfigurationError, match=r"driver mysqldb .*pip install 'taskmanager\[mysqlclient\]'"):
        urls.parse("mysql+mysqldb://u:p@h/d")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"driver psycopg .*pip install 'taskmanager\[postgresql\]'"):
        urls.parse("postgres://u:p@h/d")


# -- clusters ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "nodes"),
    [
        ("a,b", [("a", 3306), ("b", 3306)]),
        ("a:3307,b", [("a", 3307), ("b", 3306)]),
        ("a,b:3307", [("a", 3306), ("b", 3307)]),
        ("a:1,b:2,c:3", [("a", 1), ("b", 2), ("c", 3)]),
        ("[::1],[::2]", [("::1", 3306), ("::2", 3306)]),
        ("[::1]:1,10.0.0.2,c.example:3", [("::1", 1), ("10.0.0.2", 3306), ("c.example", 3)]),
    ],
)
def test_each_host_of_a_cluster_has_its_own_port_or_the_usual_one(given: str, nodes: list[tuple[str, int]]) -> None:
    for product in ("mysql", "mariadb+pymysql"):
        url = f"{product}://u:p%40,x@{given}/d?connect_timeout=3"
        found = arguments(url)
        assert [(node["host"], node["port"]) for node in found] == nodes
        assert {(n["user"], n["password"], n["database"], n["connect_timeout"]) for n in found} == {
            ("u", "p@,x", "d", 3)
        }
        assert urls.parse(rendered(urls.parse(url))) == urls.parse(url)


def test_postgresql_gets_all_hosts_at_once_because_its_library_tries_them_itself() -> None:
    (node,) = arguments("postgres://u:p@a,b:5433/d?target_session_attrs=read-write")
    assert (node["host"], node["port"], node["target_session_attrs"]) == ("a,b", "5432,5433", "read-write")


def test_a_comma_in_the_password_or_the_options_makes_no_cluster() -> None:
    for url in ("mysql://u:p,w@h/d", "mysql://u,v:p@h/d", "mysql://u:p@h/d?sql_mode=A,B", "mysql://u:p@h/d,e"):
        assert [node["host"] for node in arguments(url)] == ["h"]


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port that refuses connections and that nobody else can take."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def test_a_cluster_whose_first_host_refuses_is_reached_by_the_next(
    database_url: str, engine_name: str, refusing: int
) -> None:
    if engine_name == "sqlite":
        pytest.skip("SQLite has no hosts")
    url = make_url(database_url)
    nodes = f"127.0.0.1:{refusing},{url.host}:{url.port}"
    database = Database(rendered(url.set(host="nodes")).replace(f"nodes:{url.port}", nodes), patience_seconds=0)
    assert database.run(lambda tx: tx.connection.execute(text("SELECT 41 + 1")).scalar_one()) == 42
    database.dispose()


@pytest.mark.parametrize("product", ["mysql", "postgresql"])
def test_a_cluster_of_which_no_host_answers_is_an_error_without_the_password(product: str, refusing: int) -> None:
    nodes = f"127.0.0.1:{refusing},localhost:{refusing}"
    database = Database(f"{product}://u:{SECRET}@{nodes}/d", patience_seconds=0)
    with pytest.raises(StorageError) as refused:
        database.run(lambda tx: None)
    assert SECRET not in f"{refused.value}{refused.value.__cause__}{database.identity}{database.url}"
    database.dispose()


# -- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "is not a database URL; write it like mysql://user:password@host:3306/name"),
        (SECRET, "is not a database URL; write it like"),
        (f"u:{SECRET}@h/d", "is not a database URL; write it like"),
        (f"oracle://u:{SECRET}@h/d", "names 'oracle'; use mysql, mariadb, postgresql or sqlite"),
        (f"mysql+asyncmy://u:{SECRET}@h/d", "'asyncmy', which is not served; use mysql+pymysql or mysql+mysqldb"),
        (f"postgresql+psycopg2://u:{SECRET}@h/d", "driver 'psycopg2', which is not served; use postgresql+psycopg"),
        (f"sqlite+aiosqlite:///{SECRET}", "driver 'aiosqlite', which is not served; use sqlite+pysqlite"),
        (f"mysql://u:{SECRET}@h:abc/d", "has a port that is no number"),
        (f"mysql://u:{SECRET}@h:70000/d", "a port is a number from 1 to 65535"),
        (f"mysql://u:{SECRET}@h:0,i/d", "a port is a number from 1 to 65535"),
        (f"mysql://u:{SECRET}@h:x,i/d", "host 1 of database_url cannot be read; write @node1:3306,node2:3306/name"),
        (f"mysql://u:{SECRET}@h,/d", "host 2 of database_url cannot be read"),
        (f"mysql://u:x@{SECRET}@h/d", "an @, : or / in a password is written %40, %3A or %2F"),
        (f"mysql://u:x@{SECRET}@h:1,i:2/d", "an @, : or / in a password is written %40, %3A or %2F"),
        (f"mysql://u:{SECRET}", "has a port that is no number"),
        (f"mysql://u:{SECRET},x/d", "host 1 of database_url cannot be read"),
        (f"mysql://u:{SECRET}@h", "names no database after the host; write it like"),
        (f"mariadb://u:{SECRET}@h/", "names no database after the host"),
        (f"mysql://u:{SECRET}@h/d?ssl_moed=REQUIRED", "option 'ssl_moed', .*; did you mean ssl_mode?"),
        (f"mysql://u:{SECRET}@h/d?xyzzy=1", "option 'xyzzy', which MySQL connections do not have; there are"),
        (f"mysql://u:{SECRET}@h/d?connect_timeout=soon", "connect_timeout=soon; it is a whole number of seconds"),
        (f"mysql://u:{SECRET}@h/d?charset=a&charset=b", "has the option charset more than once"),
        (f"mysql://u:{SECRET}@h/d?ssl_ca=a&ssl-ca=b", "has the option ssl.ca more than once"),
        (f"mysql://u:{SECRET}@h/d?ssl_mode=STRICT", "ssl_mode=STRICT; it is one of DISABLED, PREFERRED, REQUIRED, VER"),
        (f"mysql://u:{SECRET}@h/d?ssl_verify_cert=maybe", "ssl_verify_cert=maybe; it is true or false"),
        (f"mysql://u:{SECRET}@h/d?ssl_ca=absent.pem", "ssl_ca=absent.pem, and there is no such file"),
        (f"mysql://u:{SECRET}@h/d?ssl_capath=absent", "ssl_capath=absent, and there is no such folder"),
        (f"postgresql://u:{SECRET}@h/d?sslmode=REQUIRED", "sslmode=REQUIRED; it is one of disable, allow, prefer"),
        (f"postgresql://u:{SECRET}@h/d?ssl_ca=ca.pem", "ssl_ca, an option of MySQL; PostgreSQL's are sslmode"),
        (f"sqlite://{SECRET}.db", "has a path after three slashes: sqlite:///folder/file.db"),
        ("sqlite://", "in memory, which threads cannot share; name a file: sqlite:///taskmanager.db"),
        ("sqlite:///:memory:", "in memory, which threads cannot share"),
    ],
)  # fmt: skip
def test_a_wrong_url_is_refused_with_what_is_wrong_and_the_cure_and_never_shown(given: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said.replace("?", r"\?").replace("+", r"\+")) as refused:
        Database(given)
    shown = str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert "database_url" in shown
    assert SECRET not in shown


# -- TLS: what the options mean ---------------------------------------------------------------------------


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)])


class Authority:
    """A certificate authority of our own, that signs for host names."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.key = folder, name, ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._sign(name, self.key, authority=True).public_bytes(serialization.Encoding.PEM))

    def _sign(self, common: str, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(_name(common))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(common)]), critical=False)
        return made.sign(self.key, hashes.SHA256())

    def issue(self, common: str, password: str | None = None) -> tuple[Path, Path]:
        """The files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, key_file = self.folder / f"{common}.crt", self.folder / f"{common}.key"
        certificate.write_bytes(self._sign(common, key, authority=False).public_bytes(serialization.Encoding.PEM))
        lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        key_file.write_bytes(key.private_bytes(pem, form, lock))
        return certificate, key_file


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def unconnected(query: str, kind: type[Any] = pymysql_connection.Connection) -> Any:
    """A PyMySQL connection made from a URL that has not connected yet."""
    options = arguments(f"mysql://u:p@db.example/d?{query}")[0]
    return kind(**options, defer_connect=True)


def shakes_hands(client: ssl.SSLContext, authority: Authority, host: str) -> bool:
    """Whether a client accepts a server that has a certificate of an authority for a host, asked as db.example."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*authority.issue(host))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(back, there, server_hostname="db.example"),
        server.wrap_bio(there, back, server_side=True),
    ]
    for _ in range(4):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError:
                return False
    assert not ends
    return True


@pytest.mark.parametrize(
    "kind", [pymysql_connection.Connection, pymysql.connections.Connection], ids=["ours", "plain PyMySQL"]
)
@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("", "PREFERRED"),
        ("ssl_mode=PREFERRED", "PREFERRED"),
        ("ssl_disabled=false", "PREFERRED"),
        ("ssl_ca=", "PREFERRED"),
        ("ssl_disabled=true", "DISABLED"),
        ("ssl_mode=disabled", "DISABLED"),
        ("ssl=false", "DISABLED"),
        ("ssl_mode=DISABLED&ssl_ca={ca}", "DISABLED"),
        ("ssl_mode=REQUIRED", "REQUIRED"),
        ("ssl-mode=required", "REQUIRED"),
        ("ssl=true", "REQUIRED"),
        ("ssl_verify_cert=false&ssl_ca={ca}", "REQUIRED"),
        ("ssl_ca={ca}", "VERIFY_CA"),
        ("ssl_capath={folder}", "VERIFY_CA"),
        ("ssl_ca={ca}&ssl_mode=REQUIRED", "VERIFY_CA"),
        ("ssl_ca={ca}&ssl_mode=VERIFY_CA", "VERIFY_CA"),
        ("ssl_ca={ca}&ssl_mode=verify-ca", "VERIFY_CA"),
        ("ssl_ca={ca}&ssl_verify_cert=true", "VERIFY_CA"),
        ("ssl_ca={ca}&ssl_verify_cert=1&ssl_verify_identity=0", "VERIFY_CA"),
        ("ssl_ca={ca}&ssl_check_hostname=false", "VERIFY_CA"),
        ("ssl_ca={ca}&ssl_mode=VERIFY_IDENTITY", "VERIFY_IDENTITY"),
        ("ssl_ca={ca}&ssl_verify_identity=true", "VERIFY_IDENTITY"),
        ("ssl_ca={ca}&ssl_check_hostname=true", "VERIFY_IDENTITY"),
    ],
)
def test_every_form_of_mysqls_tls_options_means_what_its_own_client_means(
    authority: Authority, query: str, mode: str, kind: type[Any]
) -> None:
    made = unconnected(query.format(ca=authority.file, folder=authority.folder), kind)
    assert made.ssl is (mode != "DISABLED")
    if mode != "DISABLED":
        assert made._ssl_required is (mode != "PREFERRED")
        verified = ssl.CERT_REQUIRED if mode.startswith("VERIFY") else ssl.CERT_NONE
        assert (made.ctx.verify_mode, made.ctx.check_hostname) == (verified, mode == "VERIFY_IDENTITY")


@pytest.mark.parametrize(
    ("mode", "right", "wrong_host", "wrong_authority"),
    [
        ("REQUIRED", True, True, True),
        ("VERIFY_CA", True, True, False),
        ("VERIFY_IDENTITY", True, False, False),
    ],
)
def test_a_server_is_verified_as_far_as_the_mode_says(
    authority: Authority, tmp_path: Path, mode: str, right: bool, wrong_host: bool, wrong_authority: bool
) -> None:
    ca = "" if mode == "REQUIRED" else f"&ssl_ca={authority.file}"
    context = unconnected(f"ssl_mode={mode}{ca}").ctx
    stranger = Authority(tmp_path, "stranger")
    assert shakes_hands(context, authority, "db.example") is right
    assert shakes_hands(context, authority, "other.example") is wrong_host
    assert shakes_hands(context, stranger, "db.example") is wrong_authority


@pytest.mark.parametrize("mode", ["VERIFY_CA", "VERIFY_IDENTITY"])
def test_who_verifies_and_names_no_authority_gets_those_of_the_system(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))  # OpenSSL's own way to name the system's authorities
    for query in (f"ssl_mode={mode}", "ssl_verify_cert=true" if mode == "VERIFY_CA" else "ssl_verify_identity=true"):
        made = unconnected(query)
        assert made.ctx.verify_mode is ssl.CERT_REQUIRED
        assert shakes_hands(made.ctx, authority, "db.example")
        assert not shakes_hands(made.ctx, Authority(authority.folder, "stranger"), "db.example")


def test_where_the_system_has_no_authorities_one_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "absent"))
    with pytest.raises(
        ConfigurationError, match=r"VERIFY_CA, and this system names no .*; name a file: ssl_ca=ca\.pem"
    ):
        urls.parse("mysql://u:p@h/d?ssl_mode=VERIFY_CA")


def test_connections_with_the_same_options_share_one_tls_context(authority: Authority) -> None:
    verify = f"ssl_ca={authority.file}"
    assert unconnected("").ctx is unconnected("charset=latin1").ctx
    assert unconnected(verify).ctx is unconnected(verify).ctx
    assert len({id(unconnected(q).ctx) for q in ("", verify, f"{verify}&ssl_mode=VERIFY_IDENTITY")}) == 3


def test_a_context_given_as_an_object_is_used_as_it_is() -> None:
    context = ssl.create_default_context()
    made: Any = pymysql_connection.Connection(host="h", ssl=context, defer_connect=True)
    assert made.ctx is context


def test_ciphers_are_those_that_were_named() -> None:
    context = unconnected("ssl_mode=REQUIRED&ssl_cipher=ECDHE-RSA-AES256-GCM-SHA384").ctx
    assert "ECDHE-RSA-AES256-GCM-SHA384" in {c["name"] for c in context.get_ciphers()}
    assert "ECDHE-RSA-AES128-GCM-SHA256" not in {c["name"] for c in context.get_ciphers()}
    with pytest.raises(ConfigurationError, match=r"TLS options of database_url cannot be used .*ssl_cipher=NONSENSE"):
        unconnected("ssl_mode=REQUIRED&ssl_cipher=NONSENSE")


def test_certificates_that_mysql_makes_for_itself_are_not_held_to_the_strict_form(authority: Authority) -> None:
    assert not unconnected(f"ssl_ca={authority.file}").ctx.verify_flags & ssl.VERIFY_X509_STRICT


def test_a_client_certificate_is_shown_to_the_server(authority: Authority) -> None:
    certificate, key = authority.issue("client")
    made = unconnected(f"ssl_cert={certificate}&ssl_key={key}")
    assert made._ssl_required
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*authority.issue("db.example"))
    server.load_verify_locations(authority.file)
    server.verify_mode = ssl.CERT_REQUIRED
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client, host = made.ctx.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)
    for end in (client, host, client, host):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    seen = host.getpeercert()
    assert seen is not None
    assert seen["subject"] == ((("commonName", "client"),),)


def test_a_locked_key_is_opened_by_its_password_and_nobody_is_asked_at_the_terminal(authority: Authority) -> None:
    certificate, key = authority.issue("client", password="k3ypass")
    query = f"ssl_cert={certificate}&ssl_key={key}"
    assert unconnected(f"{query}&ssl_key_password=k3ypass").ctx is not None
    for wrong in ("", "&ssl_key_password=wr0ng"):
        with pytest.raises(ConfigurationError, match=r"TLS options of database_url .*ssl_key=") as refused:
            unconnected(query + wrong)
        assert "wr0ng" not in str(refused.value)


def test_a_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match=r"TLS options of database_url cannot be used .*ssl_ca=.*empty\.pem"):
        unconnected(f"ssl_ca={tmp_path}/empty.pem")


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"])
def test_postgresqls_tls_options_reach_its_library_as_they_are(mode: str) -> None:
    (given,) = arguments(f"postgresql://u:p@h/d?sslmode={mode}&sslrootcert=system")
    assert (given["sslmode"], given["sslrootcert"]) == (mode, "system")


# -- TLS: real servers ------------------------------------------------------------------------------------


@pytest.fixture
def mysql_url() -> URL:
    """A MySQL server whose TLS is on, as MySQL's is from the first start; the URL has a database and no options."""
    given = os.environ.get("TASKMANAGER_TEST_MYSQL_URL")
    if not given:
        pytest.skip("mysql: set TASKMANAGER_TEST_MYSQL_URL to the URL of a server with TLS")
    url = make_url(given).set(query={})
    return url if url.database else url.set(database="mysql")


def cipher(url: URL, query: str) -> str:
    """The cipher of a session, by the server; empty without TLS."""
    database = Database(f"{rendered(url)}?{query}", patience_seconds=0)
    try:
        with database.engine.connect() as connection:
            return str(connection.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1])
    finally:
        database.dispose()


@pytest.fixture
def mysql_ca(mysql_url: URL, tmp_path: Path) -> Path:
    """The authority the server made for itself, as it shows it in its handshake."""
    made = pymysql_connection.Connection(**arguments(rendered(mysql_url))[0])
    tls: Any = made._sock if sys.version_info >= (3, 13) else made._sock._sslobj  # type: ignore[attr-defined]
    chain = tls.get_unverified_chain()
    made.close()
    last = chain[-1] if isinstance(chain[-1], bytes) else ssl.PEM_cert_to_DER_cert(chain[-1].public_bytes())
    path = tmp_path / "server-ca.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(last))
    return path


@pytest.mark.parametrize("query", ["", "ssl_mode=PREFERRED", "ssl_mode=REQUIRED", "ssl=true"])
def test_mysql_is_spoken_to_over_tls_by_default_and_on_demand(mysql_url: URL, query: str) -> None:
    assert cipher(mysql_url, query)


def test_mysql_is_spoken_to_without_tls_when_it_is_turned_off(mysql_url: URL) -> None:
    assert cipher(mysql_url, "ssl_mode=DISABLED") == ""
    assert cipher(mysql_url, "ssl_disabled=true") == ""


def test_mysqls_own_authority_verifies_it(mysql_url: URL, mysql_ca: Path) -> None:
    assert cipher(mysql_url, f"ssl_ca={mysql_ca}")
    assert cipher(mysql_url, f"ssl_ca={mysql_ca}&ssl_mode=VERIFY_CA")


def test_a_mysql_server_that_cannot_prove_itself_is_not_spoken_to(
    mysql_url: URL, mysql_ca: Path, authority: Authority
) -> None:
    for query in (f"ssl_ca={authority.file}", "ssl_mode=VERIFY_CA", f"ssl_ca={mysql_ca}&ssl_mode=VERIFY_IDENTITY"):
        with pytest.raises(OperationalError, match=r"CERTIFICATE_VERIFY_FAILED"):
            cipher(mysql_url, query)


def test_all_connections_of_a_pool_have_one_tls_context(mysql_url: URL) -> None:
    database = Database(mysql_url)
    with database.engine.connect() as one, database.engine.connect() as two:
        contexts = [c.connection.driver_connection.ctx for c in (one, two)]  # type: ignore[union-attr]
        assert contexts[0] is contexts[1]
    database.dispose()


def test_tls_that_is_required_is_not_given_up_for_a_mariadb_without_it() -> None:
    url = server_of("mariadb").url.set(query={})
    plain = url if url.database else url.set(database="mysql")
    if cipher(plain, ""):
        pytest.skip("this MariaDB offers TLS")
    with pytest.raises(OperationalError, match="SSL is required but the server doesn't support it"):
        cipher(plain, "ssl_mode=REQUIRED")


def test_tls_that_is_required_is_not_given_up_for_a_postgresql_without_it() -> None:
    url = server_of("postgresql").url
    engine = create_engine(url)
    with engine.connect() as connection:
        offered = connection.execute(text("SHOW ssl")).scalar_one()
    engine.dispose()
    if offered == "on":
        pytest.skip("this PostgreSQL offers TLS")
    for mode, refused in (("disable", False), ("prefer", False), ("require", True), ("verify-full", True)):
        database = Database(url.update_query_dict({"sslmode": mode}), patience_seconds=0)
        try:
            if refused:
                with pytest.raises(OperationalError, match=r"server does not support SSL|root certificate"):
                    database.engine.connect()
            else:
                database.engine.connect().close()
        finally:
            database.dispose()


# -- passwords --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["mariadb", "mysql"])
def test_a_password_of_any_script_opens_mysql(product: str) -> None:
    url = server_of(product).url
    admin = Database(url if url.database else url.set(database="mysql"))
    user, password = f"tm_{uuid.uuid4().hex[:8]}", "pä55@wörd:/€ пароль 🔑"
    with admin.engine.begin() as connection:
        connection.execute(text(f"CREATE USER {user}@'%' IDENTIFIED BY :password"), {"password": password})
    try:
        theirs = Database(
            admin.url.set(username=user, password=password, database="information_schema"), patience_seconds=0
        )
        with theirs.engine.connect() as connection:
            assert str(connection.execute(text("SELECT USER()")).scalar_one()).startswith(user)
        theirs.dispose()
    finally:
        with admin.engine.begin() as connection:
            connection.execute(text(f"DROP USER {user}@'%'"))
        admin.dispose()


def test_a_refused_password_is_not_in_the_error() -> None:
    url = server_of("mariadb").url.set(password=SECRET, database="mysql")
    database = Database(url, patience_seconds=0)
    with pytest.raises(StorageError) as refused:
        database.run(lambda tx: None)
    assert "Access denied" in str(refused.value)
    assert SECRET not in f"{refused.value}{refused.value.__cause__!r}{database.url}{database.identity}"
    database.dispose()


@pytest.mark.parametrize(
    "value",
    [
        0, -5, 1 << 62, True, None, 1.5, "it's a \\ and a \"", "", b"\x00\xff", decimal.Decimal("1.50"),
        datetime.date(2026, 2, 3),
        datetime.datetime(2026, 2, 3, 4, 5, 6), datetime.datetime(2026, 2, 3, 4, 5, 6, 7), datetime.datetime(1, 1, 1),
        datetime.datetime(2026, 2, 3, tzinfo=datetime.UTC), datetime.timedelta(seconds=90),
    ],
)  # fmt: skip
def test_values_are_written_into_statements_as_pymysql_writes_them(value: Any) -> None:
    ours = object.__new__(pymysql_connection.Connection)
    ours.encoders, ours.encoding, ours.server_status = converters.encoders, "utf8", 0
    assert ours.escape(value) == pymysql.connections.Connection.escape(ours, value)
