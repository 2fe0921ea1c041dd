using System.Diagnostics;
using System.Runtime.InteropServices;
using FastNN.Hosting.Tests.Telemetry;
using FastNN.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Models;

/// <summary>What calls of real models leave in the meter and in activities.</summary>
[NonParallelizable]
public sealed class TelemetryCallTests : ServingFixture
{
    private const string Tags = "fastnn_model_name=\"digits\",fastnn_model_version=\"1\"";

    [Test]
    public async Task The_meter_sees_calls_batches_loads_and_states([Values] bool onnx)
    {
        string file = Save(onnx);
        IHost host = Create(add: models => models.AddModel("digits", options => options.FromFile(file)));
        MetricCollector collector = host.Services.GetRequiredService<MetricCollector>();
        await StartAsync(host);
        IModel model = Model(host, "digits");
        for (int i = 0; i < 3; i++)
        {
            await CallAsync(model, Inputs(2));
        }

        using (ModelCall call = model.Begin())
        {
            Refusal(() => call.SetInput(0, [1, 7]), InferenceFailure.InvalidInput);
            Set(call, Inputs(1));
            call.Deadline = 1;
            Assert.ThrowsAsync<InferenceException>(async () => await call.RunAsync());
            call.Deadline = 0;
            Assert.CatchAsync<OperationCanceledException>(async () => await call.RunAsync(new CancellationToken(canceled: true)));
        }

        await Catalog(host).LoadAsync("digits");
        File.WriteAllText(file, "no model any more");
        Assert.ThrowsAsync<InferenceException>(() => Catalog(host).LoadAsync("digits"));
        string[] lines = Text(collector);
        Assert.Multiple(() =>
        {
            AssertLine(lines, "fastnn_requests_total", Tags, "6");
            AssertLine(lines, "fastnn_request_failures_total", $"{Tags},error_type=\"invalid_input\"", "1");
            AssertLine(lines, "fastnn_request_failures_total", $"{Tags},error_type=\"deadline_exceeded\"", "1");
            AssertLine(lines, "fastnn_request_failures_total", $"{Tags},error_type=\"cancelled\"", "1");
            AssertLine(lines, "fastnn_request_duration_seconds_count", Tags, "3");
            AssertLine(lines, "fastnn_queue_duration_seconds_count", Tags, "3");
            AssertLine(lines, "fastnn_compute_duration_seconds_count", Tags, "3");
            AssertLine(lines, "fastnn_batch_size_sum", Tags, "6");
            AssertLine(lines, "fastnn_model_loads_total", Tags, "2");
            AssertLine(lines, "fastnn_model_ready", Tags, "1");
            AssertLine(lines, "fastnn_active_requests", Tags, "0");
            AssertLine(lines, "fastnn_queue_length", Tags, "0");
            Assert.That(lines, Has.One.StartsWith($"fastnn_model_loads_total{{{Tags},error_type="), "the reload that failed");
            Assert.That(
                lines.Single(line => line.StartsWith("fastnn_device_memory_usage_bytes{", StringComparison.Ordinal)),
                Does.Contain("state=\"used\"").And.Not.EndsWith(" 0"));
        });

        await Catalog(host).UnloadAsync("digits");
        Refusal(() => model.Begin(), InferenceFailure.NotReady);
        AssertLine(Text(collector), "fastnn_requests_total", null, "1");
        AssertLine(Text(collector), "fastnn_request_failures_total", "error_type=\"not_ready\"", "1");
    }

    [Test]
    public async Task A_call_allocates_nothing_while_the_meter_is_heard([Values] bool onnx)
    {
        IHost host = await StartAsync("digits", Save(onnx));
        MetricCollector collector = host.Services.GetRequiredService<MetricCollector>();
        IModel model = Model(host, "digits");
        float[] x = Inputs(2);
        void Call()
        {
            using ModelCall call = model.Begin();
            MemoryMarshal.AsBytes(x.AsSpan()).CopyTo(call.SetInput(0, [2, 6]));
            ValueTask run = call.RunAsync();
            if (!run.IsCompletedSuccessfully)
            {
                throw new InvalidOperationException("expected an answer at once");
            }

            run.GetAwaiter().GetResult();
        }

        Assert.That(AllocatedBytes.Of(Call, times: 100), Is.Zero);
        AssertLine(Text(collector), "fastnn_requests_total", Tags, "200");
    }

    [Test]
    public async Task Operators_are_activities_below_the_computation_while_somebody_listens([Values] bool onnx)
    {
        IModel model = Model(await StartAsync("digits", Save(onnx)), "digits");
        await CallAsync(model, Inputs(1));
        List<Activity> ended;
        using (var heard = new HeardActivities())
        {
            ended = heard.Ended;
            await CallAsync(model, Inputs(1));
        }

        int seen = ended.Count;
        Activity request = ended.Single(one => one.OperationName == "infer digits");
        Activity compute = ended.Single(one => one.OperationName == "compute");
        Activity[] operators = [.. ended.Where(one => one.Source.Name == FastNNDiagnostics.OperatorActivitySourceName)];
        Assert.Multiple(() =>
        {
            Assert.That(compute.ParentSpanId, Is.EqualTo(request.SpanId));
            Assert.That(operators, Has.Length.GreaterThanOrEqualTo(2));
            Assert.That(operators.Select(one => one.ParentSpanId), Is.All.EqualTo(compute.SpanId));
        });
        await CallAsync(model, Inputs(1));
        Assert.That(ended, Has.Count.EqualTo(seen));
    }

    private string Save(bool onnx) => onnx ? ExportMlp("digits.onnx", 7) : SaveMlp("digits.safetensors", 7);

    private static string[] Text(MetricCollector collector) =>
        PrometheusText.Write(collector.Collect(), openMetrics: false).Split('\n');

    private static void AssertLine(string[] lines, string name, string? tags, string value) =>
        Assert.That(lines, Has.One.EqualTo(tags is null ? $"{name} {value}" : $"{name}{{{tags}}} {value}"));
}
