"""The table of token forms: how each begins, and what follows. Data alone; nothing is compiled when it is loaded.

Lengths are a little wider than those that services publish, because they change them. Forms are exact, never a guess
by entropy: a tokenizer's vocabulary is made of what such a guess takes for keys.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 3
"""Changes whenever this table or the search does: what was found clean by an older one is looked at again."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of token.

    Attributes:
        what: it is, for people.
        starts: what it begins with, literally; several with a space between.
        body: the pattern of what follows.
        exact: the body has one length: no letter may follow in a text, and no word in a binary file.
        glued: there a word may follow nevertheless, as where strings are stored without anything between them.
        mixed: what the body has of: `a` a small letter, `A` a capital, `0` a digit. Words in a row are no token.
        before: the pattern of what stands before `starts` and belongs to it.
        short: a shorter body that redaction hides too: a cut-off token is better hidden.
        rest: the pattern of what follows the body and is secret as well; only redaction reads so far.
        sure: a publish is refused; otherwise the plan tells and a person decides.
    """

    what: str
    starts: str
    body: str
    exact: bool = False
    glued: bool = False
    mixed: str = ""
    before: str = ""
    short: str = ""
    rest: str = ""
    sure: bool = True


_A = "[A-Za-z0-9]"
_B = "[A-Za-z0-9_-]"  # of Base64 in URLs
_S = "[A-Za-z0-9+/]"  # of Base64
_H = "[0-9a-fA-F]"
_PARTS = rf"(?:\.{_B}++)*+"  # a JWT is three of these
_JWT = f"eyJ{_B}{{16,}}+{_PARTS}"
_SHORT = f"{_B}{{6,}}+{_PARTS}"
_UUID = f"{_H}{{8}}-{_H}{{4}}-{_H}{{4}}-{_H}{{4}}-{_H}{{12}}"
_HUB, _AI, _GITHUB, _GITLAB = "a token of the Hub", "a key of an AI service", "a token of GitHub", "a token of GitLab"
_SLACK, _AWS, _GOOGLE, _AZURE = "a token of Slack", "a key of AWS", "a key of Google", "a key of Azure"
_PAID, _CLOUD, _REGISTRY = "a key of a payment service", "a token of a cloud service", "a token of a package registry"
_WORK, _MAIL, _VAULT = "a token of a work service", "a key of a mail or message service", "a token of a secret store"
_WATCH, _LINK, _KEY = "a token of a build or monitoring service", "an address that is a secret", "a private key"
# Up to the key's last line where there is one, else the lines that look like one; newlines may be escaped.
_KEY_REST = (
    r"(?:(?:[^-]|-(?!---[- ]+(?:END|BEGIN))){0,50000}+-{4,5} ?END [A-Z0-9 ]{3,40}+-{4,5}"
    r"|(?:(?:\s|\\+(?:[nrt]|[ux](?:00)?0[AaDd]))*+[A-Za-z0-9+/=]{16,}+)*+)"
)
_AWS_VALUE = r"""["'\])\\]{0,4}[ \t]{0,4}(?:=>|=|:|%3D)[ \t]{0,4}\\{0,3}["'`]?(?P<value>[A-Za-z0-9/+]{40})"""

FORMS: tuple[Form, ...] = (
    # models and what surrounds them
    Form(_HUB, "hf_jwt_ hf_oauth_", f"{_B}{{16,}}+{_PARTS}", mixed="a0", short=_SHORT),
    Form(_HUB, "hf_ api_org_", "[A-Za-z]{34}", exact=True, glued=True, mixed="aA"),
    Form(_HUB, "hf_ api_org_", f"{_A}{{34}}", exact=True, short=_SHORT),
    Form(_AI, "sk-ant- sk-proj- sk-svcacct- sk-admin- sk-None-", f"{_B}{{32,}}+", mixed="aA0"),
    Form(_AI, "sk-or-v1- sk-lf- sk-helicone-", "[0-9a-f-]{28,}+", mixed="0"),
    Form(_AI, "sk-", f"(?:{_A}{{20}}T3BlbkFJ{_A}{{20,}}+|{_A}{{48}})", exact=True, mixed="aA0"),
    Form(_AI, "sk-", "[0-9a-f]{32}(?![0-9a-f])", mixed="a0"),
    Form(_AI, "sk_", "[0-9a-f]{48}(?![0-9a-f])"),
    Form(_AI, "xai- csk- llx- pplx- gsk_ esecret_ jina_", f"{_A}{{36,}}+", mixed="aA0"),
    Form(_AI, "r8_", f"{_A}{{35,}}+", mixed="aA0"),
    Form(_AI, "nvapi- wandb_v1_ pcsk_", f"{_B}{{40,}}+", mixed="aA0"),
    Form(_AI, "pa-", f"{_B}{{43}}", exact=True, mixed="aA0"),
    Form(_AI, "fw_", f"{_A}{{20,}}+", mixed="aA0"),
    Form(_AI, "tvly-", f"(?:[a-z]{{2,8}}-)?{_A}{{28,}}+", mixed="aA0"),
    Form(_AI, "lsv2_pt_ lsv2_sk_", f"{_H}{{32}}_{_H}{{8,}}+"),
    Form(_AI, "KGAT_ fc- e2b_", f"{_H}{{32,}}+"),
    Form(_AI, "apify_api_", f"{_A}{{30,}}+", mixed="aA0"),
    Form(_AI, "rpa_", f"{_A}{{36,}}+", mixed="A0"),
    # code
    Form(_GITHUB, "ghp_ gho_ ghu_ ghs_ ghr_", f"(?:{_A}{{36,}}+|[0-9]+_{_JWT})", mixed="0", short=_SHORT),
    Form(_GITHUB, "github_pat_", "[A-Za-z0-9_]{70,}+", short=_SHORT),
    Form(
        _GITLAB,
        "glpat- gldt- glrt- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct-",
        f"{_B}{{20,}}+{_PARTS}",
        mixed="0",
        short=_SHORT,
    ),
    Form(_GITLAB, "GR1348941", f"{_B}{{20,}}+"),
    Form("a token of Bitbucket or Jira", "ATATT3 ATCTT3 ATBB", "[A-Za-z0-9_=-]{28,}+", mixed="aA0"),
    Form(_WORK, "sgp_", f"(?:(?:{_H}{{16}}|local)_)?{_H}{{40}}", exact=True),
    # clouds
    Form(_AWS, "AKIA ASIA ABIA ACCA", "[A-Z0-9]{16}(?![A-Z0-9])"),
    Form(_AWS, "ABSK bedrock-api-key-", f"{_S}{{60,}}+=*+", mixed="aA0"),
    Form(_GOOGLE, "AIza", f"{_B}{{35}}"),
    Form(_GOOGLE, "GOCSPX- AQ.Ab", f"{_B}{{24,}}+", mixed="aA0"),
    Form(_GOOGLE, "ya29. 1//0", f"{_B}{{20,}}+{_PARTS}", mixed="aA0"),
    Form(
        _AZURE,
        "AccountKey= SharedAccessKey= AccountKey%3D SharedAccessKey%3D",
        f"(?:{_S}|%2[BbFf]){{40,}}+(?:=|%3[Dd])*+",
    ),
    Form(_AZURE, "Q~", "[A-Za-z0-9_~.-]{31,}+", before="[A-Za-z0-9_~.-]{3}[0-9]"),
    Form(_LINK, "sig= sig%3D", "(?:[A-Za-z0-9+/_-]|%2[BbFf]){40,}+(?:=|%3[Dd])*+", mixed="aA0"),
    Form(
        _LINK, "X-Amz-Signature= X-Goog-Signature= X-Amz-Signature%3D X-Goog-Signature%3D", f"{_H}{{40,}}+", sure=False
    ),
    Form(_CLOUD, "LTAI", f"{_A}{{16,26}}", exact=True, mixed="aA0"),
    Form(_CLOUD, "AKID", f"{_A}{{32}}", exact=True, mixed="aA0"),
    Form(_CLOUD, "dapi", f"{_H}{{32}}(?!{_H})(?:-[0-9]+)?"),
    Form(_CLOUD, "dop_v1_ doo_v1_ dor_v1_", f"{_H}{{40,}}+"),
    Form(_CLOUD, "HRKU-", f"{_B}{{32,}}+", mixed="aA0"),
    Form(_CLOUD, "fo1_", f"{_B}{{43}}", exact=True, mixed="aA0"),
    Form(_CLOUD, "fm1a_ fm1r_ fm2_", "[A-Za-z0-9+/]{60,}+=*+", mixed="aA0"),
    Form(_CLOUD, "nfp_ rnd_ napi_ vcp_ vci_ vca_ vcr_ cfk_ cfut_ cfat_", f"{_A}{{24,}}+", mixed="aA0"),
    Form(_CLOUD, "vercel_blob_rw_ sb_secret_", f"{_B}{{24,}}+", mixed="aA0"),
    Form(_CLOUD, "sbp_", f"{_H}{{40,}}+"),
    Form(_CLOUD, "v1.0-", f"{_H}{{24}}-{_H}{{100,}}+"),
    Form(_CLOUD, "tskey-", f"(?:[a-z]+-)?{_A}{{10,}}+(?:-{_A}{{16,}}+)?", mixed="a0"),
    Form(_CLOUD, "pscale_tkn_ pscale_pw_ pscale_oauth_ mdb_sa_sk_", "[A-Za-z0-9_.=-]{30,}+", mixed="aA0"),
    Form(_CLOUD, "AQVN", f"{_B}{{35,}}+", exact=True, mixed="aA0"),
    # packages
    Form("a token of PyPI", "pypi-Ag", f"{_B}{{50,}}+"),
    Form("a token of npm", "npm_", f"{_A}{{36}}", exact=True),
    Form("a token of npm", "_authToken= _authToken%3D", "[A-Za-z0-9_=+/.-]{16,}+"),
    Form("a token of Docker", "dckr_pat_ dckr_oat_", f"{_B}{{20,}}+", mixed="aA0"),
    Form(_REGISTRY, "rubygems_ CLOJARS_", f"{_H}{{40,}}+"),
    Form(_REGISTRY, "oy2", "[a-z0-9]{43}", exact=True, mixed="a0"),
    Form(_REGISTRY, "AKCp cmVmdGtuOj", f"{_A}{{50,}}+", mixed="aA0"),
    # messages and mail
    Form(_SLACK, "xoxa- xoxb- xoxc- xoxd- xoxo- xoxp- xoxr- xoxs- xoxe- xapp-", "[A-Za-z0-9-]{20,}+", mixed="0"),
    Form(_SLACK, "xoxe.xoxb- xoxe.xoxp-", "[A-Za-z0-9-]{20,}+", mixed="0"),
    Form(
        _LINK, "hooks.slack.com/services/ hooks.slack.com/workflows/ hooks.slack.com/triggers/", "[A-Za-z0-9_+/-]{20,}+"
    ),
    Form(_LINK, r"hooks.slack.com\/services\/", r"[A-Za-z0-9_+/\\-]{20,}+"),
    Form(_LINK, "discord.com/api/webhooks/ discordapp.com/api/webhooks/", f"[0-9]{{16,}}+/{_B}{{40,}}+"),
    Form(_LINK, ".webhook.office.com/webhookb2/", r"[A-Za-z0-9/@-]{40,}+"),
    Form(_MAIL, "SG.", rf"{_B}{{16,64}}+\.{_B}{{30,}}+", mixed="aA0"),
    Form(_MAIL, ":AA", f"{_B}{{32,34}}+", before="[0-9]{8,10}"),
    Form(_MAIL, "-us", "[0-9]{1,2}", before=f"{_H}{{32}}", exact=True),
    Form(_MAIL, "xkeysib- xsmtpsib-", "[A-Za-z0-9-]{40,}+"),
    Form(_MAIL, "SK", "[0-9a-f]{32}(?![0-9a-f])"),
    Form(_MAIL, "key-", "[0-9a-f]{32}(?![0-9a-f])", sure=False),
    # money
    Form(_PAID, "sk_live_ rk_live_ sk_prod_ rk_prod_ whsec_", f"{_A}{{16,}}+", mixed="aA0"),
    Form(_PAID, "sk_test_ rk_test_", f"{_A}{{16,}}+", mixed="aA0", sure=False),
    Form(_PAID, "sq0atp- sq0csp- sq0idp-", f"{_B}{{22,}}+", mixed="aA0"),
    Form(_PAID, "shpat_ shpca_ shppa_ shpss_", f"{_H}{{32}}"),
    Form(_PAID, "shippo_live_ shippo_test_", f"{_H}{{40}}"),
    Form(_PAID, "FLWSECK- FLWSECK_TEST-", "[A-Za-z0-9-]{12,}+", mixed="0"),
    Form(_PAID, "EZAK EZTK", f"{_A}{{54}}", exact=True, mixed="aA0"),
    Form(_PAID, "access-production- access-development-", _UUID),
    Form(_PAID, "duffel_live_ duffel_test_", f"{_B}{{40,}}+", mixed="aA0"),
    # work
    Form(_WORK, "ntn_ secret_ lin_api_ lin_oauth_", f"{_A}{{40,}}+", mixed="a0"),
    Form(_WORK, "figd_", f"{_B}{{40,}}+", mixed="aA0"),
    Form(_WORK, "PMAK-", f"{_H}{{24}}-{_H}{{34}}"),
    Form(_WORK, "pat", rf"{_A}{{14}}\.[0-9a-f]{{64}}"),
    Form(_WORK, "pat-na1- pat-eu1- pat-na2-", _UUID),
    Form(_WORK, "CFPAT-", f"{_B}{{40,}}+", mixed="aA0"),
    Form(_WORK, "tfp_ rdme_", "[A-Za-z0-9_.=-]{50,}+", mixed="aA0"),
    Form(_WORK, "sl.A sl.B sl.C sl.u.A", f"{_B}{{100,}}+", mixed="aA0"),
    Form(_WORK, "sk.eyJ", rf"{_B}{{40,}}+\.{_B}{{16,}}+"),
    # stores of secrets
    Form(_VAULT, "hvs. hvb. hvr.", f"{_B}{{24,}}+", mixed="aA0"),
    Form(_VAULT, ".atlasv1.", "[A-Za-z0-9_=-]{50,}+", before=f"{_A}{{10,20}}"),
    Form(_VAULT, "dp.pt. dp.st. dp.sa. dp.ct. dp.scim. dp.audit.", r"(?:[a-z0-9_-]+\.)?[A-Za-z0-9]{40,}+"),
    Form(_VAULT, "ops_eyJ", f"{_B}{{100,}}+"),
    Form(_VAULT, "A3-", "[A-Z0-9]{6}-[A-Z0-9-]{20,}+", mixed="A0"),
    Form(_KEY, "AGE-SECRET-KEY-1 AGE-SECRET-KEY-PQ-1", "[0-9A-Za-z]{50,}+"),
    # builds and monitoring
    Form(_WATCH, "glsa_", f"{_A}{{32}}_{_H}{{8}}"),
    Form(_WATCH, "glc_", f"{_S}{{32,}}+=*+", mixed="aA0"),
    Form(_WATCH, "NRAK- NRII- NRJS-", "[A-Za-z0-9-]{19,}+", mixed="0"),
    Form(_WATCH, "dt0c01. dt0s01.", rf"{_A}{{24}}\.{_A}{{64}}"),
    Form(_WATCH, "sntrys_", "[A-Za-z0-9+/=_-]{60,}+"),
    Form(_WATCH, "sntryu_ sqp_ squ_ sqa_ bkua_ pul- CCIPAT_ CCIPRJ_", "(?:[A-Za-z0-9]{22}_)?[0-9a-f]{40,}+"),
    Form(_WATCH, "pnu_ pnb_", f"{_A}{{36}}", exact=True, mixed="aA0"),
    Form(_WATCH, "pat.", rf"{_B}{{22}}\.{_A}{{24}}\.{_A}{{20}}"),
    # what proves who somebody is, of any service
    Form("a token that proves who somebody is", "eyJ", rf"{_B}{{14,}}+\.eyJ{_B}{{14,}}+\.{_B}{{16,}}+", sure=False),
)

# These have no run of letters beside which they could be found, but a word that is rare in other texts.
WORDS: tuple[tuple[str, Form], ...] = (
    ("JQQJ99", Form(_AZURE, "JQQJ99", f"{_A}{{20,}}+", before=f"{_A}{{40,64}}")),
    *(
        (word, Form(_AWS, "", word + _AWS_VALUE))
        for word in ("secret_access_key", "SECRET_ACCESS_KEY", "ecretAccessKey")
    ),
    (
        "-----BEGIN ",
        Form(_KEY, "", r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----", rest=_KEY_REST),
    ),
    (
        "---- BEGIN SSH2 ENC",
        Form(_KEY, "", r"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", rest=_KEY_REST),
    ),
    ("PuTTY-User-Key-File-", Form(_KEY, "", r"PuTTY-User-Key-File-[0-9]:", rest=r"[\s\S]*")),
    (
        "://",
        Form(
            "a password in an address",
            "",
            r"""://(?P<user>[^\s/:@"'<>\\`]{0,64}):(?!(?P=user)@)(?P<password>[^\s/@"'<>\\`{}$*]{3,256})@(?!sha[0-9]+:)[A-Za-z0-9\[]""",
            sure=False,
        ),
    ),
)

# Names that say it, in any case; `-` stands for `_` too. Only in texts, and for a person to decide.
_IS = r"""["'\])\\]{0,4}[ \t]{0,4}(?::[ \t]{0,2}[a-z\[\]]{3,15}[ \t]{0,4}=|:=|=>|=(?!=)|:|%3D)[ \t]{0,4}"""
_QUOTED = r"""[rbuf]?\\{0,3}(?P<quote>["'`])(?P<value>[^\s"'`\\<>{}]{6,256})\\{0,3}(?P=quote)"""
_BARE = r"""(?P<bare>[A-Za-z0-9_+/=.~!@#%^*-]{8,256})(?=[\s"'`\\,;&<|]|\Z)"""
_RANDOM = r"""(?:[rbuf]?\\{0,3}["'`])?(?P<random>[A-Za-z0-9_+/=-]{16,256})(?=[\s"'`\\,;&<|]|\Z)"""
_NAMED = "a password or a key with its name"
NAMES: tuple[tuple[str, Form], ...] = (
    (
        "secret",
        Form(_AWS, "", rf"""secret_?access_?key{_IS}\\{{0,3}}["'`]?(?P<value>[A-Za-z0-9/+]{{40}})(?![A-Za-z0-9/+=])"""),
    ),
    ("passw", Form(_NAMED, "", f"passw(?:or)?d{_IS}(?:{_QUOTED}|{_BARE})", sure=False)),
    ("secret", Form(_NAMED, "", f"secret(?:[_-]?key)?(?:_base)?{_IS}(?:{_QUOTED}|{_BARE})", sure=False)),
    ("apikey", Form(_NAMED, "", f"apikey{_IS}(?:{_QUOTED}|{_BARE})", sure=False)),
    ("_key", Form(_NAMED, "", f"(?:(?<=api)[_-]key{_IS}(?:{_QUOTED}|{_BARE})|[_-]key{_IS}{_RANDOM})", sure=False)),
    ("_token", Form(_NAMED, "", f"[_-]token{_IS}{_RANDOM}", sure=False)),
    (
        "authorization",
        Form(
            _NAMED,
            "",
            rf"""authorization{_IS}[rbuf]?\\{{0,3}}["'`]?(?:bearer|basic|token)\s{{1,3}}(?P<bare>[A-Za-z0-9_.=~+/-]{{16,}}+)""",
            sure=False,
        ),
    ),
)
