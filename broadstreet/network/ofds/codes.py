"""The standard's closed lists of codes, each a frozenset, and the open ones that are read here.

A closed list holds all that is allowed; of an open one the standard allows more. Countries are ISO 3166-1 with XK for
Kosovo; currencies ISO 4217, those gone among them.
"""

from __future__ import annotations

from typing import Final

STATUSES: Final = frozenset({"proposed", "planned", "underConstruction", "inactive", "operational", "decommissioned"})
"""Of a node or a span."""

MEDIA: Final = frozenset({"coaxial", "copper", "fibre", "microwave"})
DEPLOYMENTS: Final = frozenset({"aboveGround", "belowGround"})
FIBRE_TYPES: Final = frozenset({"G.651.1", "G.652", "G.653", "G.654", "G.655", "G.656", "G.657"})

ELSEWHERE: Final = frozenset(
    {
        "tag:opentelecomdata.net,2022:nodesAPI",
        "tag:opentelecomdata.net,2022:nodesFile",
        "tag:opentelecomdata.net,2022:spansAPI",
        "tag:opentelecomdata.net,2022:spansFile",
    }
)
"""What a link says of nodes or spans that are not in the file."""

_COUNTRIES: Final = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "
)
COUNTRIES: Final = frozenset(_COUNTRIES.split())

_CURRENCIES: Final = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE "
    "CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR "
    "LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN "
    "PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC "
    "XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA YER ZAR ZMW ZWG ADP AFA ALK ANG AOK AON AOR ARA ARP ARY ATS "
    "AYM AZM BAD BEC BEF BEL BGJ BGK BGL BGN BOP BRB BRC BRE BRN BRR BUK BYB BYR CHC CSD CSJ CSK CUC CYP DDM DEM "
    "ECS ECV EEK ESA ESB ESP FIM FRF GEK GHC GHP GNE GNS GQE GRD GWE GWP HRD HRK IEP ILP ILR ISJ ITL LAJ LSM LTL "
    "LTT LUC LUF LUL LVL LVR MGF MLF MRO MTL MTP MVQ MXP MZE MZM NIC NLG PEH PEI PES PLZ PTE RHD ROK ROL RUR SDD "
    "SDP SIT SKK SLL SRG STD SUR TJR TMM TPE TRL UAK UGS UGW USS UYN UYP VEB VEF VNC XEU XFO XFU XRE YDD YUD YUM "
    "YUN ZAL ZMK ZRN ZRZ ZWC ZWD ZWL ZWN ZWR "
)
_NO_CURRENCY: Final = "X" * 3
CURRENCIES: Final = frozenset(_CURRENCIES.split()) | {_NO_CURRENCY}
