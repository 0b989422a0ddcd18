// Java's FlightSqlClient. Usage: java --class-path 'JARS/*' Client.java read|write HOST PORT
//                               java --class-path 'JARS/*' Client.java login HOST PORT CERTIFICATE NAME PASSWORD

import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.math.BigDecimal;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.apache.arrow.flight.*;
import org.apache.arrow.flight.client.ClientCookieMiddleware;
import org.apache.arrow.flight.grpc.CredentialCallOption;
import org.apache.arrow.flight.sql.FlightSqlClient;
import org.apache.arrow.flight.sql.FlightSqlClient.ExecuteIngestOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableExistsOption;
import org.apache.arrow.flight.sql.impl.FlightSql.CommandStatementIngest.TableDefinitionOptions.TableNotExistOption;
import org.apache.arrow.flight.sql.impl.FlightSql.SqlInfo;
import org.apache.arrow.flight.sql.util.TableRef;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.*;
import org.apache.arrow.vector.ipc.ReadChannel;
import org.apache.arrow.vector.ipc.message.MessageSerializer;
import org.apache.arrow.vector.types.pojo.Schema;

public class Client {
    private final BufferAllocator allocator;
    private final FlightSqlClient client;
    private final Location location;
    private final CallOption[] options;

    private Client(BufferAllocator allocator, FlightClient flight, Location location, CallOption... options) {
        this.allocator = allocator;
        this.client = new FlightSqlClient(flight);
        this.location = location;
        this.options = options;
    }

    public static void main(String[] arguments) throws Exception {
        String host = arguments[1];
        int port = Integer.parseInt(arguments[2]);
        try (BufferAllocator allocator = new RootAllocator()) {
            if (arguments[0].equals("login")) {
                login(allocator, host, port, arguments[3], arguments[4], arguments[5]);
            } else {
                Location location = Location.forGrpcInsecure(host, port);
                try (FlightClient flight = FlightClient.builder(allocator, location).build()) {
                    Client client = new Client(allocator, flight, location);
                    switch (arguments[0]) {
                        case "read" -> client.reads();
                        case "write" -> client.writes();
                        default -> throw new IllegalArgumentException(arguments[0]);
                    }
                }
            }
        }
        System.out.println("FlightSqlClient " + version());
    }

    // The jar has no version in its manifest, but in its name.
    private static String version() {
        String jar = FlightSqlClient.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        return jar.replaceAll(".*flight-sql-|\\.jar$", "");
    }

    private void reads() throws Exception {
        queries();
        prepared();
        metadata();
        sessions();
        refusals();
    }

    private void queries() throws Exception {
        List<List<Object>> rows = rows(client.execute(
            "SELECT count(*) AS n, '營業稅' AS text, CAST('12.30' AS DECIMAL(20, 2)) AS money, DATE '2024-02-29' AS day, "
                + "TIMESTAMP '2024-02-29 12:00:00' AS moment, [1, NULL, 3] AS list, NULL AS nothing, true AS yes FROM ref.county"));
        List<Object> row = rows.get(0);
        same(row.get(0), 22L);
        same(row.get(1).toString(), "營業稅");
        same(row.get(2), new BigDecimal("12.30"));
        same(row.get(3), (int) LocalDate.of(2024, 2, 29).toEpochDay());
        same(row.get(5).toString(), "[1,null,3]");
        same(row.get(6), null);
        same(row.get(7), true);
        same(rows(client.execute("SELECT value FROM generate_series(1, 300000)")).size(), 300_000);
        same(rows(client.execute("SELECT 1 AS n WHERE false")).size(), 0);
        same(client.getExecuteSchema("SELECT 1 AS n").getSchema().getFields().get(0).getName(), "n");
        // The stream is closed before its end.
        FlightInfo large = client.execute("SELECT value FROM generate_series(1, 100000000)");
        try (FlightStream stream = client.getStream(large.getEndpoints().get(0).getTicket())) {
            same(stream.next(), true);
            stream.cancel("enough", null);
        }
    }

    private void prepared() throws Exception {
        try (FlightSqlClient.PreparedStatement statement =
                client.prepare("SELECT county_code FROM ref.county WHERE county_code >= ? ORDER BY 1 LIMIT 2")) {
            same(statement.getParameterSchema().getFields().size(), 1);
            same(statement.getResultSetSchema().getFields().get(0).getName(), "county_code");
            for (String from : new String[] {"10000", "63000", "68000"}) {
                statement.setParameters(text(from));
                List<List<Object>> rows = rows(statement.execute());
                same(rows.get(0).get(0).toString().compareTo(from) >= 0, true);
            }
            statement.setParameters(text(null));
            same(rows(statement.execute()).size(), 0);
        }
    }

    // A row of one text, which the statement closes.
    private VectorSchemaRoot text(String value) {
        VarCharVector text = new VarCharVector("text", allocator);
        text.allocateNew();
        if (value != null) {
            text.setSafe(0, value.getBytes(StandardCharsets.UTF_8));
        }
        text.setValueCount(1);
        return VectorSchemaRoot.of(text);
    }

    private void metadata() throws Exception {
        same(column(client.getCatalogs(), 0).contains("tithe"), true);
        Set<String> schemas = column(client.getSchemas("tithe", "%"), 1);
        same(schemas.containsAll(Set.of("ref", "tax", "invoice")), true);
        List<List<Object>> tables = rows(client.getTables("tithe", "ref", "coun%", List.of("TABLE"), true));
        same(tables.get(0).get(2).toString(), "county");
        same(schema((byte[]) tables.get(0).get(4)).findField("county_code").getName(), "county_code");
        same(column(client.getTableTypes(), 0).contains("TABLE"), true);
        same(rows(client.getXdbcTypeInfo()).isEmpty(), false);
        List<List<Object>> info = rows(client.getSqlInfo(SqlInfo.FLIGHT_SQL_SERVER_NAME, SqlInfo.FLIGHT_SQL_SERVER_VERSION));
        same(info.size(), 2);
        same(info.get(0).get(1).toString().toLowerCase().contains("tithe"), true);
        TableRef table = TableRef.of("tithe", "ref", "county");
        rows(client.getPrimaryKeys(table));
        rows(client.getExportedKeys(table));
        rows(client.getImportedKeys(table));
        rows(client.getCrossReference(table, table));
    }

    // A table's schema is a message of its own, as a stream begins with one.
    private static Schema schema(byte[] message) throws Exception {
        try (ReadChannel channel = new ReadChannel(Channels.newChannel(new ByteArrayInputStream(message)))) {
            return MessageSerializer.deserializeSchema(channel);
        }
    }

    private void sessions() throws Exception {
        // Without this, the client forgets the cookie by which the server knows the session.
        try (FlightClient flight = FlightClient.builder(allocator, location)
                .intercept(new ClientCookieMiddleware.Factory()).build()) {
            FlightSqlClient session = new FlightSqlClient(flight);
            var set = Map.of("schema", SessionOptionValueFactory.makeSessionOptionValue("ref"));
            same(session.setSessionOptions(new SetSessionOptionsRequest(set)).getErrors().isEmpty(), true);
            var got = session.getSessionOptions(new GetSessionOptionsRequest()).getSessionOptions();
            same(got.containsKey("schema"), true);
            FlightInfo counties = session.execute("SELECT count(*) FROM county");
            try (FlightStream stream = session.getStream(counties.getEndpoints().get(0).getTicket())) {
                same(stream.next(), true);
            }
            var unknown = Map.of("colour", SessionOptionValueFactory.makeSessionOptionValue("red"));
            same(session.setSessionOptions(new SetSessionOptionsRequest(unknown)).getErrors().keySet(), Set.of("colour"));
            session.closeSession(new CloseSessionRequest());
        }
    }

    private void refusals() throws Exception {
        refused(FlightStatusCode.NOT_FOUND, "tax.taxpayer", () -> client.execute("SELECT * FROM tax.taxpayr"));
        refused(FlightStatusCode.INVALID_ARGUMENT, "", () -> client.execute("SELEC 1"));
        refused(FlightStatusCode.UNIMPLEMENTED, "ransaction", () -> client.beginTransaction());
        refused(null, "", () -> client.executeUpdate("DROP TABLE ref.county"));
        refused(null, "ivi", () -> rows(client.execute("SELECT 1 / (value - 5) FROM generate_series(1, 9)")));
        refused(null, "", () -> client.getStream(new Ticket("garbage".getBytes(StandardCharsets.UTF_8))).next());
    }

    private void writes() throws Exception {
        try (BigIntVector n = new BigIntVector("n", allocator); VarCharVector word = new VarCharVector("word", allocator)) {
            for (int row = 0; row < 1000; row++) {
                n.setSafe(row, row);
                if (row % 7 != 0) {
                    word.setSafe(row, ("稅 " + row).getBytes(StandardCharsets.UTF_8));
                }
            }
            n.setValueCount(1000);
            word.setValueCount(1000);
            VectorSchemaRoot rows = VectorSchemaRoot.of(n, word);
            same(client.executeIngest(rows, into(TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE,
                TableExistsOption.TABLE_EXISTS_OPTION_FAIL)), 1000L);
            refused(null, "exists already", () -> client.executeIngest(rows,
                into(TableNotExistOption.TABLE_NOT_EXIST_OPTION_CREATE, TableExistsOption.TABLE_EXISTS_OPTION_FAIL)));
            same(client.executeIngest(rows, into(TableNotExistOption.TABLE_NOT_EXIST_OPTION_FAIL,
                TableExistsOption.TABLE_EXISTS_OPTION_APPEND)), 1000L);
            same(rows(client.execute("SELECT count(*), count(word), sum(n) FROM java.t")).get(0).toString(),
                "[2000, 1714, 999000]");
            same(client.executeIngest(rows, into(TableNotExistOption.TABLE_NOT_EXIST_OPTION_FAIL,
                TableExistsOption.TABLE_EXISTS_OPTION_REPLACE)), 1000L);
        }
        same(client.executeUpdate("CREATE TABLE java.made (n BIGINT)"), 0L);
        same(client.executeUpdate("INSERT INTO java.made VALUES (1), (2)"), 2L);
        try (FlightSqlClient.PreparedStatement insert = client.prepare("INSERT INTO java.made VALUES (?)");
                BigIntVector n = new BigIntVector("n", allocator)) {
            for (int row = 0; row < 3; row++) {
                n.setSafe(row, row + 10);
            }
            n.setValueCount(3);
            insert.setParameters(VectorSchemaRoot.of(n));
            same(insert.executeUpdate(), 3L);
        }
        same(rows(client.execute("SELECT sum(n) FROM java.made")).get(0).get(0), 36L);
    }

    private static ExecuteIngestOptions into(TableNotExistOption absent, TableExistsOption present) {
        TableDefinitionOptions options =
            TableDefinitionOptions.newBuilder().setIfNotExist(absent).setIfExists(present).build();
        return new ExecuteIngestOptions("t", options, null, "java", Map.of());
    }

    private static void login(BufferAllocator allocator, String host, int port, String certificate, String name,
            String password) throws Exception {
        Location location = Location.forGrpcTls(host, port);
        try (FlightClient flight = FlightClient.builder(allocator, location)
                .useTls().trustedCertificates(new FileInputStream(certificate)).build()) {
            refused(FlightStatusCode.UNAUTHENTICATED, "wrong", () -> flight.authenticateBasicToken(name, "x" + password));
            refused(FlightStatusCode.UNAUTHENTICATED, "", () -> new FlightSqlClient(flight).execute("SELECT 1"));
            CredentialCallOption credential = flight.authenticateBasicToken(name, password).orElseThrow();
            Client client = new Client(allocator, flight, location, credential);
            same(client.rows(client.client.execute("SELECT count(*) FROM ref.county", credential)).get(0).get(0), 22L);
        }
        try (FlightClient flight = FlightClient.builder(allocator, location).useTls().build()) {
            refused(FlightStatusCode.UNAVAILABLE, "", () -> flight.authenticateBasicToken(name, password));
        }
    }

    private List<List<Object>> rows(FlightInfo info) throws Exception {
        List<List<Object>> rows = new ArrayList<>();
        for (FlightEndpoint endpoint : info.getEndpoints()) {
            try (FlightStream stream = client.getStream(endpoint.getTicket(), options)) {
                while (stream.next()) {
                    VectorSchemaRoot root = stream.getRoot();
                    for (int row = 0; row < root.getRowCount(); row++) {
                        List<Object> values = new ArrayList<>();
                        for (FieldVector column : root.getFieldVectors()) {
                            values.add(column.getObject(row));
                        }
                        rows.add(values);
                    }
                }
            }
        }
        return rows;
    }

    private Set<String> column(FlightInfo info, int number) throws Exception {
        Set<String> values = new TreeSet<>();
        for (List<Object> row : rows(info)) {
            values.add(row.get(number).toString());
        }
        return values;
    }

    private interface Run {
        void run() throws Exception;
    }

    // That `run` fails with `code`, or any if it is null, in words that have `told`.
    private static void refused(FlightStatusCode code, String told, Run run) throws Exception {
        try {
            run.run();
        } catch (FlightRuntimeException error) {
            boolean same = code == null || error.status().code() == code;
            if (!same || !String.valueOf(error.getMessage()).contains(told)) {
                throw new AssertionError("not " + code + " with '" + told + "'", error);
            }
            return;
        }
        throw new AssertionError("no error, expected " + code + " with '" + told + "'");
    }

    private static void same(Object is, Object expected) {
        if (!Objects.equals(is, expected)) {
            throw new AssertionError("is " + is + ", not " + expected);
        }
    }
}
