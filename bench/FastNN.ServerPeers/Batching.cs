using System.Diagnostics;
using System.Runtime.InteropServices;
using FastNN.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.ServerPeers;

/// <summary>
/// What dynamic batching gains for many callers of a network whose weights have to be read from memory, and what it costs one.
/// </summary>
internal static class Batching
{
    private const int MaxBatch = 16;
    private const string Batched = "batched", Alone = "alone";

    public static async Task<bool> RunAsync(Options options, string folder)
    {
        string file = Path.Combine(folder, "wide.onnx");
        Sequential network = Networks.WideLayers(seed: 1);
        Networks.Export(network, file);
        float[][] examples = Networks.WideExamples(MaxBatch, seed: 1);
        float[][] expected = [.. examples.Select(example => Networks.Reference(network, example))];

        using IHost host = await Overhead.StartInProcessAsync(file, options.Threads, (Batched, MaxBatch), (Alone, 1));
        using ServerProcess server = ServerProcess.Start(
            "fastnn", Report.Text($"{options.Threads}"), $"{Batched}:{MaxBatch}={file}", $"{Alone}:1={file}");
        List<Row> rows = [];
        foreach (int callers in new[] { 1, MaxBatch })
        {
            rows.Add(new Row("IModel calls in process", callers, name => InProcessAsync(
                host.Services.GetRequiredKeyedService<IModel>(name), callers, options.Seconds, examples, expected)));
            rows.Add(new Row("REST binary", callers, name => Task.FromResult(
                Rest(server.Http1, name, callers, options.Seconds, examples, expected))));
        }

        foreach (Row row in rows)
        {
            await row.Measure(Batched);
            await row.Measure(Alone);
        }

        for (int round = 0; round < options.Rounds; round++)
        {
            foreach (Row row in rows)
            {
                // Who goes first changes, since a processor that was at rest is faster for a while.
                bool batchedFirst = round % 2 == 0;
                double first = await row.Measure(batchedFirst ? Batched : Alone);
                double second = await row.Measure(batchedFirst ? Alone : Batched);
                row.Rates.Add(batchedFirst ? (first, second) : (second, first));
            }
        }

        Report.WriteHead(options, Report.Text(
            $"4096-4096-4096-10, one example a call, batches of at most {MaxBatch} or of 1; medians of {options.Rounds} rounds ")
            + Report.Text($"behind one that warms up, {options.Seconds} s of each in turn; ")
            + "gain: the median of the rounds' gains.");
        Report.WriteColumns("way", "callers", "calls/s with batching", "calls/s without", "gain", "wanted");
        foreach (Row row in rows)
        {
            Report.WriteRow(
                row.Way,
                Report.Text($"{row.Callers}"),
                Report.Text($"{Report.Median(row.Rates.Select(rate => rate.Batched)):0.0}"),
                Report.Text($"{Report.Median(row.Rates.Select(rate => rate.Alone)):0.0}"),
                Report.Text($"{Report.Median(row.Rates.Select(rate => rate.Batched / rate.Alone)):0.00}"),
                row.Callers == 1 ? "1 (no cost)" : ">= 3");
        }

        await host.StopAsync();
        return true;
    }

    private static async Task<double> InProcessAsync(
        IModel model, int callers, double seconds, float[][] examples, float[][] expected)
    {
        long start = Stopwatch.GetTimestamp();
        long[] counts = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            long count = 0;
            for (; Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; count++)
            {
                // As requests come: each call begins on the pool anew, and none keeps a thread to itself.
                await Task.Yield();
                using ModelCall call = model.Begin();
                MemoryMarshal.AsBytes(examples[caller].AsSpan()).CopyTo(call.SetInput(0, [1, examples[caller].Length]));
                await call.RunAsync();
                Check(MemoryMarshal.Cast<byte, float>(call.Output(0)), expected[caller]);
            }

            return count;
        })));
        return counts.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Rest(int port, string name, int callers, double seconds, float[][] examples, float[][] expected)
    {
        long start = Stopwatch.GetTimestamp();
        long count = 0;
        Exception? failure = null;
        Thread[] threads = [.. Enumerable.Range(0, callers).Select(caller => new Thread(() =>
        {
            try
            {
                using var connection = new RawHttp(port);
                byte[] request = Requests.Binary(name, examples[caller]).ToHttp1();
                while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
                {
                    int status = connection.Send(request);
                    Check(status == 200 ? Requests.Tail(connection.Body, Networks.Classes) : [], expected[caller]);
                    Interlocked.Increment(ref count);
                }
            }
            catch (Exception error)
            {
                failure = error;
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return failure is null
            ? count / Stopwatch.GetElapsedTime(start).TotalSeconds
            : throw new InvalidOperationException($"a caller of {name} failed", failure);
    }

    private static void Check(ReadOnlySpan<float> answer, float[] expected)
    {
        if (!Networks.Matches(answer, expected))
        {
            throw new InvalidDataException($"expected the network's {expected.Length} outputs, got {answer.Length} others");
        }
    }

    private sealed record Row(string Way, int Callers, Func<string, Task<double>> Measure)
    {
        public List<(double Batched, double Alone)> Rates { get; } = [];
    }
}
