"""Where does Logfire send in the tests? Nowhere: the spans are kept."""

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SPANS = InMemorySpanExporter()
PROCESSOR = SimpleSpanProcessor(SPANS)
