"""A board in a language as the JSON that Grafana reads, through the foundation SDK's typed builders."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import barchart, bargauge, common, dashboard, geomap, stat, statetimeline, table
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from cases.words import Language
from grafana.board import LOWEST, Board, Colour, Column, Look, Panel, Said, Step, Text, Variable
from grafana.queries import EventQuery, Query, queries, source

TAG = "cityward"
# Where cases and devices have pages of their own: on every board, for links.
CONSOLE = Variable("console", Text("Console", "控制台"), one=True, hidden=True)
WIDTH = 24  # columns of Grafana's grid
_ALL = models.VariableOption(selected=True, text="All", value="$__all")
_SCHEMA = 41  # of Grafana 11.6
# Marks on every line over time, by the names of their queries in ``sql/annotations.sql``.
ANNOTATIONS = {
    "alarms": (Text("Alarms", "告警"), Colour.WORST),
    "cases": (Text("Cases", "案件"), Colour.NOTICE),
}
_NO_LINES = common_models.GraphThresholdsStyleMode.OFF
_PANELS: dict[Look, Any] = {
    Look.STAT: stat.Panel,
    Look.SERIES: lines.Panel,
    Look.TABLE: table.Panel,
    Look.BARS: barchart.Panel,
    Look.GAUGES: bargauge.Panel,
    Look.MAP: geomap.Panel,
    Look.STATES: statetimeline.Panel,
}


def uid_of(board: Board, language: Language) -> str:
    """The dashboard's uid in Grafana: the two sets stand beside each other."""
    return f"cityward-{board.uid}-{language.value}"


def as_json(board: Board, language: Language, boards: Sequence[Board]) -> str:
    """The dashboard's JSON, ending with a line feed; ``boards`` are linked at its top."""
    made = (
        dashboard.Dashboard(board.title.say(language))
        .uid(uid_of(board, language))
        .description(board.about.say(language))
        .tags([TAG, f"{TAG}-{language.value}"])
        .editable()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .timezone("browser")
        .time(board.since, "now")
        .refresh(board.refresh)
        .links([_link(each, language) for each in boards if each is not board])
    )
    spoken = dashboard.TextBoxVariable("language").default_value(language.value)
    made = made.with_variable(spoken.hide(models.VariableHide.HIDE_VARIABLE))
    for variable in (*board.variables, CONSOLE):
        made = made.with_variable(_variable(variable, language))
    for name in board.annotations:
        made = made.annotation(_annotation(name, language))
    number = 1
    for row in board.rows:
        made = made.with_row(dashboard.Row(row.title.say(language)).id(number))
        for number, panel in enumerate(row.panels, start=number + 1):  # noqa: B020 - goes on counting on purpose
            made = made.with_panel(_panel(board, panel, language).id(number))
        number += 1
    built = made.build()
    built.schema_version = _SCHEMA
    return json.dumps(built, cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _panel(board: Board, panel: Panel, language: Language) -> Any:
    made = (
        _PANELS[panel.look]()
        .title(panel.title.say(language))
        .datasource(source())
        .with_target(Query(queries(board.uid)[panel.name], series=panel.look is Look.SERIES))
        .span(panel.width)
        .height(panel.height)
        .no_value({Language.EN: "no data", Language.ZH: "无数据"}[language])
    )
    if panel.about is not None:
        made = made.description(panel.about.say(language))
    if panel.unit:
        made = made.unit(panel.unit)
    if panel.decimals is not None:
        made = made.decimals(panel.decimals)
    if panel.low is not None:
        made = made.min(panel.low)
    if panel.high is not None:
        made = made.max(panel.high)
    if panel.steps:
        made = made.thresholds(_thresholds(panel.steps)).color_scheme(_by_threshold())
    elif panel.look is not Look.SERIES and panel.look is not Look.BARS:
        made = made.thresholds(_thresholds(())).color_scheme(_by_threshold())
    if panel.link:
        made = made.data_links([_address(panel.title.say(language), panel.link, language)])
    for name, column in panel.columns.items():
        made = made.override_by_name(name, list(_properties(column, language, panel.look)))
    return _looks(panel, made)


def _looks(panel: Panel, made: Any) -> Any:
    """What only some kinds of panels have."""
    match panel.look:
        case Look.SERIES:
            drawn = common_models.GraphThresholdsStyleMode.DASHED if panel.steps else _NO_LINES
            made = (
                made.line_width(1)
                .fill_opacity(8)
                .show_points(common_models.VisibilityMode.NEVER)
                .span_nulls(False)
                .legend(_legend())
                .tooltip(common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI))
                .thresholds_style(common.GraphThresholdsStyleConfig().mode(drawn))
            )
        case Look.STAT:
            made = (
                made.color_mode(common_models.BigValueColorMode.BACKGROUND)
                .graph_mode(common_models.BigValueGraphMode.NONE)
                .reduce_options(_every_row())
            )
        case Look.GAUGES:
            made = made.orientation(common_models.VizOrientation.HORIZONTAL).reduce_options(_every_row())
        case Look.TABLE:
            made = made.filterable(True)
        case Look.BARS:
            made = made.orientation(common_models.VizOrientation.AUTO).legend(_legend())
        case Look.MAP:
            view = geomap.MapViewConfig().id("fit").all_layers(True).max_zoom(15)
            made = made.layers([_markers()]).view(view)
        case Look.STATES:
            made = made.show_value(common_models.VisibilityMode.NEVER)
    return made


def _every_row() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().values(True).calcs([])


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(common_models.LegendDisplayMode.LIST)
        .placement(common_models.LegendPlacement.BOTTOM)
        .show_legend(True)
    )


def _markers() -> common.MapLayerOptions:
    """Points at ``lat`` and ``lon``, coloured by ``severity`` as its column's steps say."""
    return (
        common.MapLayerOptions()
        .type("markers")
        .name("devices")
        .config(
            {
                "showLegend": False,
                "style": {
                    "color": {"field": "severity", "fixed": Colour.NOTICE.value},
                    "opacity": 0.7,
                    "size": {"fixed": 7, "min": 4, "max": 12},
                    "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
                },
            }
        )
        .location(
            common.FrameGeometrySource()
            .mode(common_models.FrameGeometrySourceMode.COORDS)
            .latitude("lat")
            .longitude("lon")
        )
        .tooltip(True)
    )


def _properties(column: Column, language: Language, look: Look) -> Iterator[models.DynamicConfigValue]:
    yield models.DynamicConfigValue("displayName", column.title.say(language))
    if column.unit:
        yield models.DynamicConfigValue("unit", column.unit)
    if column.decimals is not None:
        yield models.DynamicConfigValue("decimals", column.decimals)
    if column.words:
        yield models.DynamicConfigValue("mappings", [_mapping(column.words, language)])
    if column.steps:
        yield models.DynamicConfigValue("thresholds", _thresholds(column.steps).build())
        yield models.DynamicConfigValue("color", _by_threshold().build())
    if look is Look.TABLE and (column.steps or any(word.colour for word in column.words)):
        yield models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"})
    if column.link:
        address = _address(column.title.say(language), column.link, language)
        yield models.DynamicConfigValue("links", [address.build()])
    if column.width:
        yield models.DynamicConfigValue("custom.width", column.width)
    if column.hidden and look is Look.TABLE:
        yield models.DynamicConfigValue("custom.hidden", value=True)


def _mapping(words: Sequence[Said], language: Language) -> models.ValueMap:
    return models.ValueMap(
        options={
            word.value: models.ValueMappingResult(
                text=word.text.say(language), color=word.colour.value if word.colour else None, index=index
            )
            for index, word in enumerate(words)
        }
    )


def _thresholds(steps: Sequence[Step]) -> dashboard.ThresholdsConfig:
    whole = steps if steps and steps[0].at == LOWEST else (Step(LOWEST, Colour.GOOD), *steps)
    made = [models.Threshold(value=None if step.at == LOWEST else step.at, color=step.colour.value) for step in whole]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(made)


def _by_threshold() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def _link(board: Board, language: Language) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink(board.title.say(language))
        .type(models.DashboardLinkType.LINK)
        .url(f"/d/{uid_of(board, language)}")
        .keep_time(True)
        .include_vars(True)
    )


def _address(title: str, link: str, language: Language) -> dashboard.DashboardLink:
    """A link on a value; ``{language}`` in it is the board's."""
    return (
        dashboard.DashboardLink(title)
        .type(models.DashboardLinkType.LINK)
        .url(link.replace("{language}", language.value))
    )


def _variable(variable: Variable, language: Language) -> dashboard.QueryVariable:
    made = (
        dashboard.QueryVariable(variable.name)
        .label(variable.title.say(language))
        .datasource(source())
        .query(queries("variables")[variable.name])
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    if variable.hidden:
        return made.hide(models.VariableHide.HIDE_VARIABLE)
    return made if variable.one else made.multi(True).include_all(True).current(_ALL)


def _annotation(name: str, language: Language) -> dashboard.AnnotationQuery:
    title, colour = ANNOTATIONS[name]
    return (
        dashboard.AnnotationQuery()
        .name(title.say(language))
        .datasource(source())
        .enable(True)
        .icon_color(colour.value)
        .target(EventQuery(queries("annotations")[name]))
    )


def documents(boards: Sequence[Board]) -> Iterator[tuple[Path, str]]:
    """Every board in every language: its file within the folder of boards, and what stands in it."""
    for language in Language:
        for board in boards:
            yield Path(language.value) / f"{board.uid}.json", as_json(board, language, boards)


def write(boards: Sequence[Board], folder: Path) -> None:
    """Write them all; what is no board any more goes."""
    wanted = {folder / path: text for path, text in documents(boards)}
    for stale in set(folder.glob("*/*.json")) - wanted.keys():
        stale.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
