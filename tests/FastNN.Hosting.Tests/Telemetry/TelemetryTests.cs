using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using FastNN.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastNN.Hosting.Tests.Telemetry;

/// <summary>What calls leave in the meter, in activities, and at the endpoint of Prometheus.</summary>
internal sealed partial class TelemetryTests
{
    private ServiceProvider _services = null!;
    private ServingTelemetry _telemetry = null!;
    private StillCatalog _catalog = null!;

    [SetUp]
    public void Make()
    {
        _catalog = new StillCatalog
        {
            Models = [new("digits", "1", ModelState.Ready, ""), new("bad", "2", ModelState.Failed, "no")],
        };
        _services = new ServiceCollection().AddServingTelemetry().AddSingleton<IModelCatalog>(_catalog).BuildServiceProvider();
        _telemetry = _services.GetRequiredService<ServingTelemetry>();
    }

    [TearDown]
    public void Dispose() => _services.Dispose();

    [Test]
    public void Calls_are_counted_by_outcome_with_their_times()
    {
        MetricCollector collector = _services.GetRequiredService<MetricCollector>();
        RunCalls();
        string text = PrometheusText.Write(collector.Collect(), openMetrics: false);
        const string Model = "fastnn_model_name=\"digits\",fastnn_model_version=\"1\"";
        Assert.Multiple(() =>
        {
            Assert.That(text, Does.Contain($"fastnn_requests_total{{{Model}}} 3\n"));
            Assert.That(text, Does.Contain($"fastnn_request_failures_total{{{Model},error_type=\"queue_full\"}} 1\n"));
            Assert.That(text, Does.Contain($"fastnn_request_failures_total{{{Model},error_type=\"cancelled\"}} 1\n"));
            Assert.That(text, Does.Contain("fastnn_request_failures_total{error_type=\"not_found\"} 1\n"));
            Assert.That(text, Does.Contain($"fastnn_active_requests{{{Model}}} 1\n"), "one never ended");
            Assert.That(text, Does.Contain($"fastnn_queue_length{{{Model}}} 5\n"));
            Assert.That(text, Does.Contain($"fastnn_queue_duration_seconds_bucket{{{Model},le=\"0.001\"}} 0\n"));
            Assert.That(text, Does.Contain($"fastnn_queue_duration_seconds_bucket{{{Model},le=\"0.0025\"}} 1\n"));
            Assert.That(text, Does.Contain($"fastnn_queue_duration_seconds_sum{{{Model}}} 0.002\n"));
            Assert.That(text, Does.Contain($"fastnn_compute_duration_seconds_count{{{Model}}} 1\n"));
            Assert.That(text, Does.Contain($"fastnn_batch_size_bucket{{{Model},le=\"2.0\"}} 0\n"));
            Assert.That(text, Does.Contain($"fastnn_batch_size_bucket{{{Model},le=\"4.0\"}} 1\n"));
            Assert.That(text, Does.Contain("fastnn_models{fastnn_model_state=\"failed\"} 1\n"));
            Assert.That(text, Does.Contain("fastnn_model_ready{fastnn_model_name=\"bad\",fastnn_model_version=\"2\"} 0\n"));
            Assert.That(text, Does.Contain($"fastnn_model_loads_total{{{Model}}} 1\n"));
        });
    }

    [Test]
    public void A_model_that_is_gone_is_gone_from_the_gauges()
    {
        MetricCollector collector = _services.GetRequiredService<MetricCollector>();
        Assert.That(
            PrometheusText.Write(collector.Collect(), false), Does.Contain("fastnn_model_ready{fastnn_model_name=\"bad\""));
        _catalog.Models = [_catalog.Models[0]];
        Assert.That(PrometheusText.Write(collector.Collect(), false), Does.Not.Contain("\"bad\""));
    }

    [Test]
    public void Nothing_is_allocated_per_call_with_a_listener_and_without()
    {
        ModelTelemetry model = _telemetry.Of("digits", "1");
        using var call = new FinishedCall();
        var refused = new InferenceException(InferenceFailure.QueueFull, "full");
        Assert.That(Allocated(), Is.Zero, "nobody listens");
        using MetricCollector collector = new(_telemetry, _services.GetRequiredService<ILogger<MetricCollector>>());
        Assert.That(Allocated(), Is.Zero, "a collector listens");

        long Allocated()
        {
            Run(200);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Run(1000);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        void Run(int times)
        {
            for (int i = 0; i < times; i++)
            {
                model.CallEnded(model.CallStarted(), call, null);
                model.CallEnded(model.CallStarted(), call, refused);
                model.BatchRun(3, call.ComputeTime, model.BatchStarted());
            }
        }
    }

    [Test]
    public void A_request_has_its_queue_and_compute_time_below_it_and_leaves_the_current_activity()
    {
        List<Activity> ended = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == FastNNDiagnostics.ActivitySourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var caller = new Activity("caller");
        caller.Start();
        ModelTelemetry model = _telemetry.Of("digits", "1");
        CallTrace trace = model.CallStarted();
        using var call = new FinishedCall();
        model.CallEnded(trace, call, null);
        Assert.That(Activity.Current, Is.SameAs(caller));
        model.CallEnded(model.CallStarted(), call, new IOException("/secret/file"));

        Activity request = ended.Single(one => one.OperationName == "infer digits" && one.Status == ActivityStatusCode.Unset);
        Activity queue = ended.Single(one => one.OperationName == "queue");
        Activity compute = ended.Single(one => one.OperationName == "compute");
        Activity failed = ended.Single(one => one.Status == ActivityStatusCode.Error);
        Assert.Multiple(() =>
        {
            Assert.That(request.ParentSpanId, Is.EqualTo(caller.SpanId));
            Assert.That(queue.ParentSpanId, Is.EqualTo(request.SpanId));
            Assert.That(compute.ParentSpanId, Is.EqualTo(request.SpanId));
            Assert.That(queue.Duration, Is.EqualTo(call.QueueTime));
            Assert.That(compute.Duration, Is.EqualTo(call.ComputeTime));
            Assert.That(compute.StartTimeUtc, Is.EqualTo(queue.StartTimeUtc + call.QueueTime));
            Assert.That(request.GetTagItem("fastnn.batch.size"), Is.EqualTo(3));
            Assert.That(failed.GetTagItem("error.type"), Is.EqualTo("failed"));
            Assert.That(failed.StatusDescription, Is.Null, "messages of other exceptions may name files");
        });
    }

    [Test]
    public async Task Prometheus_gets_the_format_it_asks_for()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddServingTelemetry().AddSingleton<IModelCatalog>(_catalog);
        await using WebApplication app = builder.Build();
        app.MapFastNNMetrics();
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        string plain = await Get("*/*", "text/plain");
        string open = await Get(
            "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.1",
            "application/openmetrics-text");
        await Get("application/openmetrics-text;q=0.2,text/plain;q=0.4", "text/plain");
        Assert.Multiple(() =>
        {
            Assert.That(plain, Does.Contain("# TYPE dotnet_gc_collections_total counter\n").And.Not.Contain("# EOF"));
            Assert.That(open, Does.Contain("# TYPE dotnet_gc_collections counter\n").And.EndsWith("# EOF\n"));
            Assert.That(plain.Split('\n').Where(line => line.Length > 0), Has.All.Match(
                """^(# (TYPE|HELP) \S+ .+|[a-z_][a-z0-9_]*(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \S+)$"""));
        });

        async Task<string> Get(string accept, string type)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
            request.Headers.TryAddWithoutValidation("Accept", accept);
            using HttpResponseMessage response = await client.SendAsync(request);
            Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo(type));
            return await response.Content.ReadAsStringAsync();
        }
    }

    [Test]
    public void Texts_from_outside_are_escaped_and_their_number_is_bounded()
    {
        using MetricCollector collector = new(_telemetry, _services.GetRequiredService<ILogger<MetricCollector>>());
        for (int i = 0; i < MetricStore.MaxSeries + 10; i++)
        {
            _telemetry.Requests.Add(1, new KeyValuePair<string, object?>("name", $"a\"\\\n{i}"));
        }

        string text = PrometheusText.Write(collector.Collect(), openMetrics: false);
        Assert.That(text, Does.Contain("""fastnn_requests_total{name="a\"\\\n7"} 1"""));
        Assert.That(text, Does.Contain("fastnn_requests_total{otel_metric_overflow=\"true\"} 10\n"));
    }

    [TestCase("prometheus/fastnn-alerts.yml")]
    [TestCase("grafana/fastnn.json")]
    public void Every_metric_that_deployments_ask_for_exists(string file)
    {
        MetricCollector collector = _services.GetRequiredService<MetricCollector>();
        using Device device = Device.Cpu(1);
        _telemetry.Watch(device);
        RunCalls();
        string text = PrometheusText.Write(collector.Collect(), openMetrics: false);
        string[] known =
        [
            .. Names().Matches(text).Select(match => match.Value),

            // There is no GPU here; the instrument is there all the same.
            .. collector.Collect().Select(metric => metric.Store).Where(store => store.Instrument.Name.StartsWith(
                "fastnn.gpu.", StringComparison.Ordinal)).Select(PrometheusText.NameOf),
        ];
        string[] used = [.. Names().Matches(File.ReadAllText(Deployed(file))).Select(match => match.Value).Distinct()];
        Assert.That(used, Is.Not.Empty);
        Assert.That(used.Except(known), Is.Empty);
    }

    [Test]
    public void The_page_about_it_has_every_instrument_and_no_other()
    {
        MetricCollector collector = _services.GetRequiredService<MetricCollector>();
        string[] instruments =
        [
            .. collector.Collect().Where(metric => metric.Store.Instrument.Meter == _telemetry.Meter)
                .Select(metric => metric.Store.Instrument.Name),
        ];
        string[] rows =
        [
            .. File.ReadAllLines(InRepository("docs/serving-monitoring.md"))
                .Where(line => line.StartsWith("| `fastnn.", StringComparison.Ordinal))
                .SelectMany(line => Instruments().Matches(line.Split('|')[1]).Select(match => match.Groups[1].Value)),
        ];
        Assert.That(rows, Is.EquivalentTo(instruments));
    }

    [Test]
    public void Memory_is_told_by_what_holds_it()
    {
        MetricCollector collector = _services.GetRequiredService<MetricCollector>();
        using (Device device = Device.Cpu(1))
        {
            _telemetry.Watch(device);
            string text = PrometheusText.Write(collector.Collect(), openMetrics: false);
            Assert.Multiple(() =>
            {
                Assert.That(text, Does.Match("fastnn_memory_usage_bytes\\{fastnn_memory_kind=\"managed\"\\} [1-9]"));
                Assert.That(text, Does.Contain("fastnn_memory_usage_bytes{fastnn_memory_kind=\"buffers\"} 0\n"));
                Assert.That(text, Does.Contain("fastnn_buffers_rented 0\n"));
                Assert.That(
                    text, Does.Contain(
                        "fastnn_device_memory_usage_bytes{fastnn_device_kind=\"cpu\",fastnn_memory_state=\"used\"} 0\n"));
                Assert.That(text, Does.Not.Contain("fastnn_gpu_"), "no GPU is in use");
            });
            _telemetry.Forget(device);
        }

        Assert.That(
            PrometheusText.Write(collector.Collect(), openMetrics: false), Does.Not.Contain("fastnn_device_memory_usage"));
    }

    [Test]
    public void Drift_is_told_by_feature_once_a_window_is_full()
    {
        MetricCollector collector = _services.GetRequiredService<MetricCollector>();
        DriftMonitor monitor = DriftOf(["age", "income"]);
        _telemetry.Of("digits", "1").Drift = () => monitor;
        Assert.That(PrometheusText.Write(collector.Collect(), openMetrics: false), Does.Not.Contain("fastnn_drift"));
        Fill(monitor, 1e6f);
        string text = PrometheusText.Write(collector.Collect(), openMetrics: false);
        Assert.That(Value("age"), Is.LessThan(1e-6), "the same values as in training");
        Assert.That(Value("income"), Is.GreaterThan(1), "all are above those of training");

        double Value(string feature)
        {
            const string Model = "fastnn_model_name=\"digits\",fastnn_model_version=\"1\"";
            string series = $"fastnn_drift{{{Model},fastnn_feature=\"{feature}\"}} ";
            string line = text.Split('\n').Single(one => one.StartsWith(series, StringComparison.Ordinal));
            return double.Parse(line[series.Length..], CultureInfo.InvariantCulture);
        }
    }

    [Test]
    public void The_checker_of_Prometheus_finds_no_fault()
    {
        const string Checker = "/usr/bin/promtool";
        if (!File.Exists(Checker))
        {
            Assert.Ignore($"{Checker} is not installed; Debian has it in the package prometheus");
        }

        MetricCollector collector = _services.GetRequiredService<MetricCollector>();
        RunCalls();
        string text = PrometheusText.Write(
            [.. collector.Collect().Where(metric => metric.Store.Instrument.Meter == _telemetry.Meter)], openMetrics: false);
        using Process process = Process.Start(new ProcessStartInfo(Checker, ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Write(text);
        process.StandardInput.Close();
        string faults = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, faults);
    }

    /// <summary>Metrics and labels.</summary>
    [GeneratedRegex(@"\b(?:fastnn|dotnet)_[a-z_]+")]
    private static partial Regex Names();

    [GeneratedRegex(@"`(fastnn\.[a-z._]+)`")]
    private static partial Regex Instruments();

    private static DriftMonitor DriftOf(string[] features)
    {
        float[] values = [.. Enumerable.Range(0, 1000 * features.Length).Select(i => (float)(i / features.Length))];
        Dataset data = Dataset.FromFloats(values, [features.Length], new int[1000], 1, featureNames: features);
        var input = new ModelTensor("x", TensorDataType.Float32, [-1, features.Length]);
        return new DriftMonitor("digits", "1", TrainingStatistics.Of(data), [input], TimeProvider.System, NullLogger.Instance);
    }

    /// <summary>Sends what <see cref="DriftOf"/> was trained on, the second feature shifted.</summary>
    private static void Fill(DriftMonitor monitor, float shift)
    {
        for (int i = 0; i < DriftMonitor.Window; i++)
        {
            monitor.Observe(MemoryMarshal.AsBytes<float>([i, i + shift]));
        }
    }

    private static string Deployed(string file) => InRepository(Path.Combine("deploy", file));

    private static string InRepository(string file)
    {
        string folder = TestContext.CurrentContext.TestDirectory;
        while (!File.Exists(Path.Combine(folder, "FastNN.sln")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return Path.Combine(folder, file);
    }

    private void RunCalls()
    {
        ModelTelemetry model = _telemetry.Of("digits", "1");
        model.Waiting = () => 5;
        DriftMonitor drift = DriftOf(["age", "income"]);
        Fill(drift, 0);
        model.Drift = () => drift;
        using var call = new FinishedCall();
        model.CallEnded(model.CallStarted(), call, null);
        model.CallEnded(model.CallStarted(), call, new InferenceException(InferenceFailure.QueueFull, "full"));
        model.CallEnded(model.CallStarted(), call, new OperationCanceledException());
        model.CallEnded(default, call, null);
        model.CallStarted();
        model.BatchRun(3, call.ComputeTime);
        _telemetry.CallRefused(InferenceFailure.NotFound);
        _telemetry.ModelLoaded("digits", "1", TimeSpan.FromSeconds(0.2));
    }
}
