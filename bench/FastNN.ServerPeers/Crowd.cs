using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FastNN.ServerPeers;

/// <summary>
/// A normal load that must not notice what else there is: a thousand clients, slow ones, connections that say nothing or half of
/// it, uploads that break off, and requests that are too large or spoiled.
/// </summary>
internal static class Crowd
{
    private const string Model = "digits";
    private const string Spoiled = "malformed", Changed = "a byte of JSON changed";
    private const string Reopened = "connections of those that ended unannounced";
    private const int MalformedThreads = 32;
    private const int SpareSockets = 4;

    /// <summary>Behind its patience and its grace a server must have ended what is slow.</summary>
    private static readonly TimeSpan _patience = Serving.GuardedPatience + TimeSpan.FromSeconds(8);

    private static readonly TimeSpan _malformedLimit = TimeSpan.FromMinutes(5);

    public static async Task<bool> RunAsync(Options options, string folder)
    {
        string file = Path.Combine(folder, "digits.onnx");
        var versions = new Versions(Networks.Pictures(32, seed: 1));
        versions.Publish(file);
        using ServerProcess server = ServerProcess.Start("guarded", Report.Text($"{options.Threads}"), $"{Model}={file}");
        bool isLong = options.Seconds >= _patience.TotalSeconds;
        Tally tally = Groups(isLong);
        var load = new CheckedLoad(server.Http1, Model, versions, options.Connections);
        (int sockets, double memory) = (0, 0);
        (int Sockets, double Memory, bool IsReady) after = (0, 0, false);
        long duringCrowd = 0;
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(2, options.Seconds)));
            (sockets, memory) = (server.OpenSockets, server.ResidentMegabytes);
            long before = load.Answered;
            await RunGroupsAsync(server.Http1, options, versions, tally);
            duringCrowd = load.Answered - before;
            after = await SettleAsync(server, sockets);
        }
        finally
        {
            load.Stop();
        }

        Write(options, tally, load, duringCrowd);
        bool leaks = after.Sockets > sockets + SpareSockets;
        Console.WriteLine();
        Console.WriteLine(Report.Text(
            $"Server behind it: {(after.IsReady ? "ready" : "not ready")}, {after.Sockets} open sockets ({sockets} before), ")
            + Report.Text($"{after.Memory:0.0} MB ({memory:0.0} MB before the crowd), {server.LoggedErrors} errors in its log."));
        if (!isLong)
        {
            Console.WriteLine(Report.Text(
                $"In less than {_patience.TotalSeconds} s slow and half-open connections may outlast the run."));
        }

        return load.Failed == 0 && load.Answered > 0 && after.IsReady && !leaks && tally.Groups.All(group => group.Bad == 0);
    }

    private static Tally Groups(bool isLong)
    {
        var tally = new Tally();
        bool Ended(string outcome) => outcome is "408" or Tally.Closed || (!isLong && outcome == Tally.Open);
        tally.Add("clients", "200", outcome => outcome == "200");
        tally.Add("bodies of 100 bytes a second", "408 or closed", Ended);
        tally.Add("headers of 5 bytes a second", "408 or closed", Ended);
        tally.Add("silent connections", "closed", Ended);
        tally.Add("half of the headers", "408 or closed", Ended);
        tally.Add("uploads broken off", "no answer", outcome => outcome == "broken off");
        tally.Add("length above the limit", "413", outcome => outcome == "413");
        tally.Add("chunks above the limit", "413, or closed", outcome => outcome is "413" or Tally.Closed);
        tally.Add(Spoiled, "4xx", Tally.IsRefusal);
        tally.Add(Changed, "4xx or 200", outcome => outcome == "200" || Tally.IsRefusal(outcome));
        tally.Add(Reopened, "", _ => true);
        return tally;
    }

    private static async Task RunGroupsAsync(int port, Options options, Versions versions, Tally tally)
    {
        using var stop = new CancellationTokenSource();
        Body good = Requests.Binary(Model, versions.Examples[0]);
        byte[] whole = good.ToHttp1();
        int headers = whole.Length - good.Bytes.Length;
        int tenth = Math.Max(1, options.Clients / 20);
        using HttpClient http = Requests.CreateClient(port);
        List<Task> tasks =
        [
            .. Many(options.Clients, i => ClientAsync(http, versions, i, tally, stop.Token)),
            .. Many(tenth, _ => SlowAsync("bodies of 100 bytes a second", port, whole, headers, 20, tally, stop.Token)),
            .. Many(tenth, _ => SlowAsync("headers of 5 bytes a second", port, whole, 0, 1, tally, stop.Token)),
            .. Many(tenth, _ => SlowAsync("silent connections", port, whole, 0, 0, tally, stop.Token)),
            .. Many(tenth, _ => SlowAsync("half of the headers", port, whole, headers / 2, 0, tally, stop.Token)),
            .. Many(4, _ => RepeatAsync("uploads broken off", tally, () => BreakOffAsync(port, whole, headers), stop.Token)),
            .. Many(2, _ => RepeatAsync("length above the limit", tally, () => TooLongAsync(port, good), stop.Token)),
            .. Many(2, _ => RepeatAsync("chunks above the limit", tally, () => TooManyChunksAsync(port, good), stop.Token)),
        ];
        Task malformed = SendMalformedAsync(port, versions.Examples[0], options.Malformed, tally);
        await Task.Delay(TimeSpan.FromSeconds(options.Seconds));
        await malformed;
        await stop.CancelAsync();
        await Task.WhenAll(tasks);
    }

    private static IEnumerable<Task> Many(int count, Func<int, Task> run) =>
        Enumerable.Range(0, count).Select(i => Task.Run(() => run(i)));

    /// <summary>A client that asks, looks at the answer, and asks again a little later.</summary>
    private static async Task ClientAsync(HttpClient http, Versions versions, int seed, Tally tally, CancellationToken stop)
    {
        int example = seed % versions.Examples.Length;
        Body body = Requests.Binary(Model, versions.Examples[example]);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                (int status, byte[] answer) = await body.PostAsync(http, HttpVersion.Version11);
                bool isWrong = status == 200 && !versions.IsRight(example, Requests.Tail(answer, Networks.Classes + 1), out _);
                tally.Count("clients", isWrong ? "wrong answer" : status.ToString(CultureInfo.InvariantCulture));
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                tally.Count("clients", Tally.Closed);
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }

    /// <summary>Sends a beginning at once and the rest in little parts, five a second, until the server has had enough.</summary>
    private static async Task SlowAsync(
        string group, int port, byte[] request, int atOnce, int part, Tally tally, CancellationToken stop)
    {
        string outcome;
        try
        {
            using Socket socket = await ConnectAsync(port);
            Task<string> answer = ReadStatusAsync(socket);
            int sent = 0;
            await SendAsync(atOnce);
            while (!answer.IsCompleted && !stop.IsCancellationRequested)
            {
                await Task.WhenAny(answer, Task.Delay(200, CancellationToken.None));
                if (!answer.IsCompleted && sent + part < request.Length)
                {
                    await SendAsync(part);
                }
            }

            outcome = answer.IsCompleted ? await answer : Tally.Open;

            async Task SendAsync(int count)
            {
                await socket.SendAsync(request.AsMemory(sent, count), CancellationToken.None);
                sent += count;
            }
        }
        catch (SocketException)
        {
            outcome = Tally.Closed;
        }

        tally.Count(group, outcome);
    }

    private static async Task RepeatAsync(string group, Tally tally, Func<Task<string>> ask, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                tally.Count(group, await ask());
            }
            catch (SocketException)
            {
                tally.Count(group, Tally.Closed);
            }

            await Task.Delay(10, CancellationToken.None);
        }
    }

    private static async Task<string> BreakOffAsync(int port, byte[] whole, int headers)
    {
        using Socket socket = await ConnectAsync(port);
        await socket.SendAsync(whole.AsMemory(0, headers + ((whole.Length - headers) / 2)));
        socket.LingerState = new LingerOption(true, 0);
        return "broken off";
    }

    /// <summary>Tells a length that is too large and waits for the refusal before it sends anything, as curl does.</summary>
    private static async Task<string> TooLongAsync(int port, Body good)
    {
        using Socket socket = await ConnectAsync(port);
        string head = $"POST {good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            + Report.Text($"Content-Length: {2 * Serving.GuardedRequestBytes}\r\n\r\n");
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(head));
        return await ReadStatusAsync(socket);
    }

    /// <summary>Sends a body in chunks that is longer than allowed, which the server finds out on the way.</summary>
    private static async Task<string> TooManyChunksAsync(int port, Body good)
    {
        using Socket socket = await ConnectAsync(port);
        string head = $"POST {good.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(head));
        byte[] chunk = [.. "10000\r\n"u8, .. new byte[0x10000], .. "\r\n"u8];
        Task<string> answer = ReadStatusAsync(socket);
        for (int sent = 0; sent <= Serving.GuardedRequestBytes && !answer.IsCompleted; sent += 0x10000)
        {
            await socket.SendAsync(chunk);
        }

        return await answer;
    }

    /// <summary>The status of an answer, or <see cref="Tally.Closed"/>.</summary>
    private static async Task<string> ReadStatusAsync(Socket socket)
    {
        var start = new byte[64];
        int end = 0;
        try
        {
            while (end < 12)
            {
                int received = await socket.ReceiveAsync(start.AsMemory(end));
                if (received == 0)
                {
                    return Tally.Closed;
                }

                end += received;
            }
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return Tally.Closed;
        }

        return System.Text.Encoding.ASCII.GetString(start, 9, 3);
    }

    private static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task SendMalformedAsync(int port, float[] example, int count, Tally tally)
    {
        long start = Stopwatch.GetTimestamp();
        var show = new Samples();
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, MalformedThreads).Select(seed => Task.Factory.StartNew(
            () => Send(new Malformed(Model, example, seed)),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        void Send(Malformed requests)
        {
            RawHttp? connection = null;
            byte[] last = [];
            while (Interlocked.Increment(ref next) <= count && Stopwatch.GetElapsedTime(start) < _malformedLimit)
            {
                byte[] request = requests.Next(out bool mayPass);
                string group = mayPass ? Changed : Spoiled;
                bool isReused = connection is not null;
                string outcome = Ask(ref connection, port, request);
                if (outcome == Tally.Closed && isReused)
                {
                    // The server had ended the connection behind the answer before, which a client may find out like this.
                    show.Write("the connection ended without 'Connection: close' behind", last);
                    tally.Count(Reopened, "1");
                    outcome = Ask(ref connection, port, request);
                }

                if (!tally.Count(group, outcome))
                {
                    show.Write($"{group}, {outcome}", request);
                }

                last = request;
            }

            connection?.Dispose();
        }
    }

    private static string Ask(ref RawHttp? connection, int port, byte[] request)
    {
        string outcome;
        try
        {
            connection ??= new RawHttp(port);
            outcome = connection.Send(request).ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            outcome = Tally.Closed;
        }

        if (outcome == Tally.Closed || connection!.IsClosing)
        {
            connection?.Dispose();
            connection = null;
        }

        return outcome;
    }

    /// <summary>Waits until the server has given back what the crowd took, and looks at it.</summary>
    private static async Task<(int Sockets, double Memory, bool IsReady)> SettleAsync(ServerProcess server, int sockets)
    {
        long start = Stopwatch.GetTimestamp();
        while (server.IsAlive && server.OpenSockets > sockets + SpareSockets && Stopwatch.GetElapsedTime(start) < _patience)
        {
            await Task.Delay(200);
        }

        if (!server.IsAlive)
        {
            return (0, 0, false);
        }

        using var connection = new RawHttp(server.Http1);
        bool isReady = connection.Send("GET /v2/health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8) == 200;
        return (server.OpenSockets, server.ResidentMegabytes, isReady);
    }

    private static void Write(Options options, Tally tally, CheckedLoad load, long duringCrowd)
    {
        Report.WriteHead(options, Report.Text(
            $"784-128-11 over REST; {options.Clients} clients for {options.Seconds} s, beside a normal load of ")
            + Report.Text($"{options.Connections} connections. The server has AddFastNNServer, a limit of 1 MiB a request, ")
            + "and 5 s for headers and between requests.");
        Report.WriteColumns("group", "requests", "outcomes", "wanted", "others");
        Report.WriteRow(
            "normal load",
            Report.Text($"{load.Answered + load.Failed}"),
            Report.Text($"right: {load.Answered} ({duringCrowd} beside the crowd)"),
            "all right",
            load.Failed == 0 ? "0" : Report.Text($"{load.Failed} ({load.Failures})"));
        foreach (Tally.Group group in tally.Groups)
        {
            Report.WriteRow(
                group.Name, Report.Text($"{group.Total}"), group.ToString(), group.Wanted, Report.Text($"{group.Bad}"));
        }
    }

    /// <summary>Shows the first requests that something came of that should not.</summary>
    private sealed class Samples
    {
        private const int Most = 10;
        private const int Characters = 300;

        private int _written;

        public void Write(string what, byte[] request)
        {
            if (Interlocked.Increment(ref _written) <= Most)
            {
                string text = System.Text.Encoding.Latin1.GetString(request, 0, Math.Min(request.Length, Characters));
                Console.Error.WriteLine($"{what}: {string.Concat(text.Select(c => c is < ' ' or > '~' ? '.' : c))}");
            }
        }
    }
}
