"""A client that knows gRPC and nothing of Arrow Flight: it asks the server what it speaks, and queries it by that.

Usage: reflection.py HOST:PORT
"""

import importlib.metadata
import sys

import grpc
import pyarrow
from google.protobuf import any_pb2
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

FLIGHT = "arrow.flight.protocol"

channel = grpc.insecure_channel(sys.argv[1])
asked = ProtoReflectionDescriptorDatabase(channel)
services = set(asked.get_services())
assert f"{FLIGHT}.FlightService" in services, services
assert "grpc.health.v1.Health" in services, services
assert "grpc.reflection.v1alpha.ServerReflection" in services, services
pool = DescriptorPool(asked)
# A file that no message of the service needs is known by its name alone.
pool.FindFileByName("flight_sql.proto")
methods = pool.FindServiceByName(f"{FLIGHT}.FlightService").methods_by_name


def message(name, **fields):
    return GetMessageClass(pool.FindMessageTypeByName(f"{FLIGHT}.{name}"))(**fields)


def call(name, request):
    method = methods[name]
    answer = GetMessageClass(method.output_type)
    kind = channel.unary_stream if method.server_streaming else channel.unary_unary
    path = f"/{FLIGHT}.FlightService/{name}"
    return kind(path, request.SerializeToString, answer.FromString)(None)


def wrapped(command):
    packed = any_pb2.Any()
    packed.Pack(command)
    return packed.SerializeToString()


def known(answer):
    """`answer`, of which every field is described."""
    from google.protobuf.unknown_fields import UnknownFieldSet

    assert len(UnknownFieldSet(answer)) == 0, answer
    for field, value in answer.ListFields():
        if field.type == field.TYPE_MESSAGE and not field.message_type.GetOptions().map_entry:
            for part in value if field.is_repeated else [value]:
                known(part)
    return answer


def descriptor(command):
    return message("FlightDescriptor", type="CMD", cmd=wrapped(command))


def ask(command):
    info = known(call("GetFlightInfo", descriptor(command)))
    (endpoint,) = info.endpoint
    parts = [known(part) for part in call("DoGet", endpoint.ticket)]
    schema = pyarrow.ipc.read_schema(pyarrow.ipc.read_message(framed(parts[0])))
    batches = [pyarrow.ipc.read_record_batch(framed(part), schema) for part in parts[1:]]
    return pyarrow.Table.from_batches(batches, schema)


def framed(part):
    """The message of Arrow's format that stands in one of Flight, as a stream has it."""
    head = part.data_header + bytes(-len(part.data_header) % 8)
    return pyarrow.py_buffer(b"\xff\xff\xff\xff" + len(head).to_bytes(4, "little") + head + part.data_body)


counted = ask(message("sql.CommandStatementQuery", query="SELECT count(*) AS counties FROM ref.county"))
assert counted.to_pylist() == [{"counties": 22}], counted
tables = ask(message("sql.CommandGetTables", db_schema_filter_pattern="ref", include_schema=True))
assert "county" in tables["table_name"].to_pylist(), tables
polled = known(call("PollFlightInfo", descriptor(message("sql.CommandStatementQuery", query="SELECT 1"))))
assert polled.HasField("progress") and polled.progress == 1.0, polled
actions = {known(action).type for action in call("ListActions", message("Empty"))}
assert "CreatePreparedStatement" in actions, actions
request = message("sql.ActionCreatePreparedStatementRequest", query="SELECT 1 AS one")
(made,) = call("DoAction", message("Action", type="CreatePreparedStatement", body=wrapped(request)))
result = any_pb2.Any.FromString(made.body)
prepared = message("sql.ActionCreatePreparedStatementResult")
assert result.Unpack(prepared), result
handle = known(prepared).prepared_statement_handle
one = ask(message("sql.CommandPreparedStatementQuery", prepared_statement_handle=handle))
assert one.to_pylist() == [{"one": 1}], one
wanted = message("SetSessionOptionsRequest")
wanted.session_options["schema"].string_value = "ref"
wanted.session_options["no such"].bool_value = True
(told,) = call("DoAction", message("Action", type="SetSessionOptions", body=wanted.SerializeToString()))
refused = known(message("SetSessionOptionsResult").FromString(told.body)).errors
assert [(name, error.value) for name, error in refused.items()] == [("no such", 1)], refused
print(f"grpcio-reflection {importlib.metadata.version('grpcio-reflection')}")
