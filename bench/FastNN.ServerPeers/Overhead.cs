using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FastNN.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FastNN.ServerPeers;

/// <summary>
/// What the way over the network adds to <see cref="IPredictor{TIn, TOut}.PredictAsync"/> for one caller, and what of that is not
/// the transport's own: an echo of the same bytes by the same server stands beside each path.
/// </summary>
internal static class Overhead
{
    private const int MostSamples = 4_000_000;
    private const double WarmUpSeconds = 2;

    public static async Task<bool> RunAsync(Options options, string folder)
    {
        string file = Path.Combine(folder, "digits.onnx");
        Sequential network = Networks.Digits(seed: 1);
        Networks.Export(network, file);
        float[] example = Networks.Pictures(1, seed: 1)[0];
        float[] expected = Networks.Reference(network, example);

        using ServerProcess server = ServerProcess.Start("fastnn", Report.Text($"{options.Threads}"), $"digits={file}");
        using IHost host = await StartInProcessAsync(file, options.Threads);
        var predictor = host.Services.GetRequiredKeyedService<IPredictor<float[], float[]>>("digits");
        async Task Predict() => Check(await predictor.PredictAsync(example), expected);
        List<CallPath> paths = [new("Predict in process", null, null, Predict)];
        var owned = new List<IDisposable>();
        try
        {
            AddTcp(paths, owned, server, Requests.Binary("digits", example));
            AddRawHttp(paths, owned, server, "REST binary", Requests.Binary("digits", example), expected, "30 / 80");
            AddRawHttp(paths, owned, server, "REST JSON", Requests.Json("digits", example), expected, null);
            AddRawGrpc(paths, owned, server, Requests.Grpc("digits", example), expected);
            AddHttpClient(paths, owned, server, "REST binary, HttpClient", Requests.Binary("digits", example), expected);
            AddHttpClient(paths, owned, server, "gRPC, HttpClient", Requests.Grpc("digits", example), expected);
            await MeasureAsync(paths, options);
        }
        finally
        {
            owned.ForEach(one => one.Dispose());
        }

        await host.StopAsync();
        return true;
    }

    /// <summary>A service in this process with one model, or several.</summary>
    public static async Task<IHost> StartInProcessAsync(string file, int threads, params (string Name, int MaxBatch)[] models)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.ClearProviders();
        FastNNBuilder services = builder.Services.AddFastNN(options => options.Threads = threads);
        foreach ((string name, int maxBatch) in models.Length > 0 ? models : [("digits", new BatchingOptions().MaxBatch)])
        {
            services.AddModel(name, options =>
            {
                options.FromFile(file);
                options.Batching = new BatchingOptions { MaxBatch = maxBatch };
            });
        }

        IHost host = builder.Build();
        await host.StartAsync();
        return host;
    }

    private static void AddTcp(List<CallPath> paths, List<IDisposable> owned, ServerProcess server, Body body)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        owned.Add(socket);
        socket.Connect(IPAddress.Loopback, server.Tcp);
        byte[] bytes = body.ToHttp1(), answer = new byte[bytes.Length];
        paths.Add(new CallPath($"{bytes.Length} bytes over TCP and back, without HTTP", null, null, () =>
        {
            TcpEcho.Exchange(socket, bytes, answer);
            return Task.CompletedTask;
        }));
    }

    private static void AddRawHttp(
        List<CallPath> paths, List<IDisposable> owned, ServerProcess server, string name, Body body, float[] expected,
        string? wanted)
    {
        byte[] request = body.ToHttp1(), echo = body.ToEcho.ToHttp1();
        var connection = new RawHttp(server.Http1);
        owned.Add(connection);
        CallPath baseline = new($"echo of {name}, {body.Bytes.Length} bytes", null, null, () =>
        {
            CheckStatus(connection.Send(echo));
            CheckLength(connection.Body.Length, body.Bytes.Length);
            return Task.CompletedTask;
        });
        bool isJson = body.HeaderLength is null;
        paths.Add(baseline);
        paths.Add(new CallPath(name, baseline, wanted, () =>
        {
            CheckStatus(connection.Send(request));
            if (!isJson)
            {
                Check(Requests.Tail(connection.Body, expected.Length), expected);
            }

            return Task.CompletedTask;
        }));
        if (isJson)
        {
            // Parsing it is the client's work and would count as the server's; one look must do.
            CheckStatus(connection.Send(request));
            Check(Requests.JsonData(connection.Body), expected);
        }
    }

    private static void AddRawGrpc(
        List<CallPath> paths, List<IDisposable> owned, ServerProcess server, Body body, float[] expected)
    {
        var echo = new RawGrpc(server.Http2, body.ToEcho);
        var calls = new RawGrpc(server.Http2, body);
        owned.AddRange([echo, calls]);
        CallPath baseline = new($"echo of gRPC, {body.Bytes.Length} bytes", null, null, () =>
        {
            echo.Send();
            CheckLength(echo.Body.Length, body.Bytes.Length);
            return Task.CompletedTask;
        });
        paths.Add(baseline);
        paths.Add(new CallPath("gRPC", baseline, "60 / -", () =>
        {
            calls.Send();
            Check(Requests.Tail(calls.Body, expected.Length), expected);
            return Task.CompletedTask;
        }));
    }

    private static void AddHttpClient(
        List<CallPath> paths, List<IDisposable> owned, ServerProcess server, string name, Body body, float[] expected)
    {
        bool isGrpc = body.ContentType == "application/grpc";
        Version version = isGrpc ? HttpVersion.Version20 : HttpVersion.Version11;
        HttpClient client = Requests.CreateClient(isGrpc ? server.Http2 : server.Http1);
        owned.Add(client);
        CallPath baseline = new($"echo of {name}", null, null, async () =>
        {
            (int status, byte[] answer) = await body.ToEcho.PostAsync(client, version);
            CheckStatus(status);
            CheckLength(answer.Length, body.Bytes.Length);
        });
        paths.Add(baseline);
        paths.Add(new CallPath(name, baseline, null, async () =>
        {
            (int status, byte[] answer) = await body.PostAsync(client, version);
            CheckStatus(status);
            Check(Requests.Tail(answer, expected.Length), expected);
        }));
    }

    private static async Task MeasureAsync(List<CallPath> paths, Options options)
    {
        var ticks = new long[MostSamples];
        foreach (CallPath path in paths)
        {
            await TimeAsync(path, Math.Min(WarmUpSeconds, options.Seconds), ticks);
        }

        for (int round = 0; round < options.Rounds; round++)
        {
            foreach (CallPath path in paths)
            {
                path.Rounds.Add(await TimeAsync(path, options.Seconds, ticks));
            }
        }

        Report.WriteHead(options, Report.Text(
            $"784-128-10, one example, one caller; medians of {options.Rounds} rounds, ")
            + Report.Text($"{options.Seconds} s of each path in turn. ")
            + "Microseconds, p50 / p99. Unless HttpClient stands there, the client is a blocking socket. "
            + "An echo comes from the same server, through its routing; the one over TCP from a thread that waits for it.");
        Report.WriteColumns("path", "time", "over Predict", "wanted", "over its echo");
        foreach (CallPath path in paths)
        {
            string overPredict = path == paths[0] ? "" : Difference(path, paths[0]);
            string overEcho = path.Baseline is null ? "" : Difference(path, path.Baseline);
            Report.WriteRow(path.Name, Pair(path.Rounds), overPredict, path.Wanted ?? "", overEcho);
        }
    }

    private static async Task<(double Half, double Most)> TimeAsync(CallPath path, double seconds, long[] ticks)
    {
        int count = 0;
        long now = Stopwatch.GetTimestamp();
        long end = now + (long)(seconds * Stopwatch.Frequency);
        while (now < end && count < ticks.Length)
        {
            await path.Step();
            long after = Stopwatch.GetTimestamp();
            ticks[count++] = after - now;
            now = after;
        }

        Array.Sort(ticks, 0, count);
        double microseconds = 1e6 / Stopwatch.Frequency;
        return (ticks[count / 2] * microseconds, ticks[Math.Min(count - 1, (int)(count * 0.99))] * microseconds);
    }

    /// <summary>The medians of the differences within each round, so that what slows a whole round cancels.</summary>
    private static string Difference(CallPath path, CallPath other) =>
        Pair([.. path.Rounds.Zip(other.Rounds, (mine, its) => (mine.Half - its.Half, mine.Most - its.Most))]);

    private static string Pair(List<(double Half, double Most)> rounds) => Report.Text(
        $"{Report.Median(rounds.Select(round => round.Half)):0.0} / {Report.Median(rounds.Select(round => round.Most)):0.0}");

    private static void Check(ReadOnlySpan<float> answer, float[] expected)
    {
        if (!Networks.Matches(answer, expected))
        {
            throw new InvalidDataException($"expected the network's {expected.Length} outputs, got {answer.Length} others");
        }
    }

    private static void CheckStatus(int status) =>
        _ = status == 200 ? 0 : throw new InvalidDataException($"expected status 200, got {status}");

    private static void CheckLength(int length, int expected) =>
        _ = length == expected ? 0 : throw new InvalidDataException($"expected {expected} bytes back, got {length}");

    private sealed record CallPath(string Name, CallPath? Baseline, string? Wanted, Func<Task> Step)
    {
        public List<(double Half, double Most)> Rounds { get; } = [];
    }
}
