namespace FastNN.ServerPeers;

/// <summary>
/// Requests per second at saturation: FastNN's server beside Kestrel alone, which sends the same bytes back, and beside ONNX
/// Runtime in a minimal application.
/// </summary>
internal static class Throughput
{
    private const double WantedShare = 0.85;

    public static bool Run(Options options, string folder)
    {
        string? noWrk = LoadTool.Missing("wrk", "wrk"), noH2Load = LoadTool.Missing("h2load", "nghttp2-client");
        foreach (string missing in new[] { noWrk, noH2Load }.OfType<string>())
        {
            Console.Error.WriteLine($"{missing}; its rows are left out.");
        }

        if (noWrk is not null && noH2Load is not null)
        {
            return false;
        }

        string file = Path.Combine(folder, "digits.onnx");
        Sequential network = Networks.Digits(seed: 1);
        Networks.Export(network, file);
        float[] example = Networks.Pictures(1, seed: 1)[0];
        float[] expected = Networks.Reference(network, example);
        Body rest = Requests.Binary("digits", example), grpc = Requests.Grpc("digits", example);

        var servers = new List<ServerProcess>();
        try
        {
            ServerProcess ours = Add("fastnn", Report.Text($"{options.Threads}"), $"digits={file}");
            int answerBytes = RestAnswer(ours, rest, expected);
            int grpcBytes = GrpcAnswer(ours, grpc, expected);
            ServerProcess echo = Add("echo", Report.Text($"{answerBytes}"));
            var rows = new List<Row>();
            if (noWrk is null)
            {
                Row bare = new("HTTP/1.1: Kestrel alone, echo", null, Wrk(echo, rest.ToEcho), 0);
                rows.Add(bare);
                rows.Add(new Row("HTTP/1.1: Kestrel alone, answer as long as a model's", bare, Wrk(echo, rest), 0));
                rows.Add(new Row("HTTP/1.1: FastNN, REST binary", bare, Wrk(ours, rest), 0) { IsJudged = true });
                if (PlainRuntime.LoadFailure() is null)
                {
                    foreach (int threads in new[] { 1, 0 })
                    {
                        ServerProcess theirs = Add("onnxruntime", Report.Text($"{threads}"), file);
                        RestAnswer(theirs, rest, expected);
                        string count = threads == 0 ? "default threads" : "1 thread";
                        rows.Add(new Row($"HTTP/1.1: ONNX Runtime, {count}", bare, Wrk(theirs, rest), 0));
                    }
                }
            }

            if (noH2Load is null)
            {
                Row bare = new("HTTP/2: Kestrel alone, echo", null, H2(echo, rest.ToEcho), rest.Bytes.Length);
                rows.Add(bare);
                rows.Add(new Row("HTTP/2: FastNN, REST binary", bare, H2(ours, rest), answerBytes));
                Row bareGrpc = new("HTTP/2: Kestrel alone, echo of gRPC", null, H2(echo, grpc.ToEcho), grpc.Bytes.Length);
                rows.Add(bareGrpc);
                rows.Add(new Row("HTTP/2: FastNN, gRPC", bareGrpc, H2(ours, grpc), grpcBytes));
            }

            return Measure(rows, options, rest.Bytes.Length, answerBytes, [
                .. noWrk is null ? [LoadTool.Version("wrk")] : Array.Empty<string>(),
                .. noH2Load is null ? [LoadTool.Version("h2load")] : Array.Empty<string>(),
                .. PlainRuntime.LoadFailure() is null ? [RuntimeVersion()] : Array.Empty<string>(),
            ]);
        }
        finally
        {
            servers.ForEach(server => server.Dispose());
        }

        ServerProcess Add(params string[] arguments)
        {
            ServerProcess server = ServerProcess.Start(arguments);
            servers.Add(server);
            return server;
        }

        Func<Load> Wrk(ServerProcess server, Body body) =>
            () => LoadTool.Wrk(server.Http1, body, options.Connections, options.Seconds, folder);

        Func<Load> H2(ServerProcess server, Body body) =>
            () => LoadTool.H2Load(server.Http2, body, options.Connections, options.Seconds, folder);
    }

    private static bool Measure(List<Row> rows, Options options, int requestBytes, int answerBytes, string[] versions)
    {
        bool passed = true;
        // The first round finds code that is not yet compiled for speed: it warms up and is not told.
        for (int round = -1; round < options.Rounds; round++)
        {
            foreach (Row row in rows)
            {
                Load load = row.Run();
                // A failed call of gRPC has the status 200 and no message.
                bool isShort = row.AnswerBytes > 0 && Math.Abs(load.BytesPerAnswer - row.AnswerBytes) > 0.05 * row.AnswerBytes;
                if (load.Failed > 0 || isShort)
                {
                    passed = false;
                    Console.Error.WriteLine(Report.Text(
                        $"{row.Name}: {load.Failed} failed, {load.BytesPerAnswer:0} bytes an answer, ")
                        + (row.AnswerBytes > 0 ? Report.Text($"expected {row.AnswerBytes}") : "expected no failure"));
                }

                if (round >= 0)
                {
                    row.Rates.Add(load.PerSecond);
                }
            }
        }

        Report.WriteHead(options, Report.Text(
            $"784-128-10, one example a request ({requestBytes} bytes of REST, answer {answerBytes}), ")
            + Report.Text($"{options.Connections} connections; medians of {options.Rounds} rounds behind one that warms up, ")
            + Report.Text($"{options.Seconds} s of each row in turn. ")
            + "HTTP/1.1 by wrk with one thread, HTTP/2 by h2load with one thread and one stream a connection. "
            + "Share: of the echo above, as the median of the rounds' shares.", versions);
        Report.WriteColumns("server", "requests/s", "share of the echo", "wanted");
        foreach (Row row in rows)
        {
            string share = row.Bare is null
                ? ""
                : Report.Text($"{Report.Median(row.Rates.Zip(row.Bare.Rates, (mine, its) => mine / its)):0.000}");
            string wanted = row.IsJudged ? Report.Text($">= {WantedShare}") : "";
            Report.WriteRow(row.Name, Report.Text($"{Report.Median(row.Rates):0}"), share, wanted);
        }

        return passed;
    }

    /// <summary>Asks once, and tells how long the answer is.</summary>
    private static int RestAnswer(ServerProcess server, Body body, float[] expected)
    {
        using var connection = new RawHttp(server.Http1);
        int status = connection.Send(body.ToHttp1());
        return status == 200 && Networks.Matches(Requests.Tail(connection.Body, expected.Length), expected)
            ? connection.Body.Length
            : throw new InvalidDataException($"expected the network's outputs, got status {status} and other bytes");
    }

    private static int GrpcAnswer(ServerProcess server, Body body, float[] expected)
    {
        using var connection = new RawGrpc(server.Http2, body);
        connection.Send();
        return Networks.Matches(Requests.Tail(connection.Body, expected.Length), expected)
            ? connection.Body.Length
            : throw new InvalidDataException("expected the network's outputs over gRPC, got other bytes");
    }

    private static string RuntimeVersion() =>
        $"ONNX Runtime {Microsoft.ML.OnnxRuntime.OrtEnv.Instance().GetVersionString()}";

    private sealed record Row(string Name, Row? Bare, Func<Load> Run, int AnswerBytes)
    {
        public List<double> Rates { get; } = [];

        public bool IsJudged { get; init; }
    }
}
