"""Everyday English words, as they turn up in a Vietnamese sentence of a smart home."""

from __future__ import annotations

_WORDS = """
abstruseness achieve adeptness adobo affiliates airline alarm algorithmic ambivalently
anticipate aplastic apophenia armigerous assimilative assistant astylar attic baby backwater
balcony barbican basement basilica bathroom battery beachhead beadily bedroom bestrewed bewigged
bicentennial biochar biology bitey bizarrely blind blithesome bounce brawler breathe bridge
butanol buzzing cable cairn calendar calumny canasta caseous casing casuistry ceiling
channel charger child chilling chintzy cholerically chum churchiness chyle circa clansman
cleanliness closed coccidiosis coccus colon commissary concelebrate confessedly
conte contract copestone corset counterpane creakiest crosse curculio curtain deadbolt
decomposer defalcate defoliator delivery delphinium demote demount depot deuce diagnostic dialog
dish dishwasher door doorbell dost drouthy dryer dwell ecohouse eensy elitism embroil energy
enticingly entropic error erythroid euphonium evening excisional expand experiment faceprinting
failed fan fane fedayeen fictionalise fiddlestick fine finesse firstling
fleshiness flitch floor focuses forego formula forsook fortifiable freewheeling freezer fridge
frilly fumblingly futilely garage garden gateway gemological glancing glassine goad goodbye
gossip gracefully graduating grisly guanine guest gust gutful hackette harborless
headcheese heartburn heartsore heater heretic heroize holiday holidaymaker homiletic
homosexually huffy humidity humiliate hyperemia hypomania hypotheses hyson incoherence incorrect
inexpediency ingression initialise insufflator interiorize interject inverter isogloss issueless
jollity kantele key kibbutz kiddingly kippa kitchen kowtow ladyhood lamp landaulet leafhopper
leak lease lemonade leveled libertinage light limewater liminality list lock lunchmeat lysis
maleate matamata matriarch mazier meeting mend menfolk mentee meter milligramme minacious
misshapen mobbing modem moderates modular momently monkeyish monotonous monoxide morbific
morning mortifyingly mosaic motion multirole murmurer music narwhal nationalizer neighborly
nephrology netizen news night nitrobenzene nucleocapsid nudity obbligatos obliterator
obnoxiously oculist office offline oldsquaw omicron online outlawed outwork oven overage
overhaul overrate oxide package paleae paleopole palmitate paraptosis parlous parter partnerless
pepperminty perfumery permute perorate petroleum physiologist planform playlist please pokily
pool pranayama predator prednisone preservice pressure primitively programmable prolificacy
promethium propellant providence pseudocyst pummel pump queensware queues quickly quint rain
reducible redundant refitting reminder reproducibly reredos resigned restart reticulin revetting
reward rishis rocket roes router sabertooth salinometer sancoche sangaree sardius sauna scarer
school scrollwork seamstress seasonally sectorial semidarkness separate sexennial shanghaied
shootist shopping shrunken sigmate sinewed singularly slivered smoke snakiness snooker solar
soliloquize somnolent spa spaciousness spired splayed spluttering sports sprees sprinkler
spumante squinter stairs star statistical statuesque storm stylized subulate sugging swanky
tachometer tank tannish tediously temperature thanks thaumaturgic thaw themselves thermogenic
thread threnodist tomorrow topos torii torsional traffic tribasic tropically trouble tur tweet
typhoon unacceptable uncontrolled uncooked underground undiminished unharmed untypically
unworthiness update urologic vacuum valve verbalize visitor volume waist warning washer washtub
waterdog weather welcome wetly whimper wildness wind window windstorm winegrower wombat workroom
zone
"""
ENGLISH = tuple(_WORDS.split())
