using System.Runtime.InteropServices;
using FastNN.Hosting.Tests.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace FastNN.Hosting.Tests.Drift;

/// <summary>Drift in a service: where statistics come from, and what calls do with them.</summary>
public sealed class DriftServingTests : ServingFixture
{
    [Test]
    public async Task Calls_of_a_model_whose_file_has_statistics_are_sampled_and_a_shift_is_told_once()
    {
        SaveMlp("m.safetensors", 1);
        Statistics().AddTo(At("m.safetensors"));
        IHost host = await StartAsync("m", "m.safetensors");
        DriftMonitor monitor = MonitorOf(host, "m");
        IModel model = Model(host, "m");
        int calls = 0;
        while (!monitor.HasDrifted)
        {
            Assert.That(++calls, Is.LessThan(200_000), $"{monitor.Samples} samples in {monitor.Windows} windows");
            using ModelCall call = model.Begin();
            Set(call, Inputs(8, calls).Select(value => value + 3).ToArray());
            await call.RunAsync();
            Spend(monitor);
        }

        Assert.That(monitor.Windows, Is.EqualTo(2));
        Assert.That(
            Log.Lines.Count(line => line.Contains("differ from those of its training in 6 of 6", StringComparison.Ordinal)),
            Is.EqualTo(1));
    }

    [Test]
    public async Task Settings_go_before_the_file_and_code_before_both()
    {
        SaveMlp("models/m/1/model.safetensors", 1);
        Statistics().AddTo(At("models/m/1/model.safetensors"));
        TrainingStatistics.Of(new float[60], new Shape(6), "input").AddTo(At("models/m/model.json"));
        SaveMlp("code.safetensors", 1);
        TrainingStatistics own = TrainingStatistics.Of(new float[6 * 77], new Shape(6));
        IHost host = await StartAsync(
            options => options.FromFolder("models"),
            models => models.AddModel("code", options => options.FromFile("code.safetensors").WithStatistics(own)));
        Assert.That(MonitorOf(host, "m").Limit, Is.EqualTo(60 * (0.001 + 0.1)).Within(1e-9), "10 examples, as model.json has it");
        Assert.That(MonitorOf(host, "code").Limit, Is.EqualTo(60 * (0.001 + (1 / 77.0))).Within(1e-9));
    }

    [TestCase("""{"statistics":{"version":1}}""", "model.json is malformed: expected training statistics as 'statistics'")]
    [TestCase("""{"statistics":{"version":7}}""", "expected training statistics of version 1, got 7")]
    [TestCase("wrong shape", "training statistics: expected examples of shape [6] as input 'input' takes them, got [5]")]
    public async Task Statistics_that_do_not_fit_fail_the_model_with_the_reason(string settings, string reason)
    {
        SaveMlp("models/m/1/model.safetensors", 1);
        if (settings[0] == '{')
        {
            File.WriteAllText(At("models/m/model.json"), settings);
        }
        else
        {
            TrainingStatistics.Of(new float[50], new Shape(5)).AddTo(At("models/m/model.json"));
        }

        IHost host = await StartAsync(options => options.FromFolder("models"));
        ModelStatus status = host.Services.GetRequiredService<IModelCatalog>().List().Single();
        Assert.That(status.State, Is.EqualTo(ModelState.Failed));
        Assert.That(status.Reason, Does.Contain(reason));
    }

    [Test]
    public async Task Calls_allocate_nothing_for_it()
    {
        SaveMlp("m.safetensors", 1);
        Statistics().AddTo(At("m.safetensors"));
        IHost host = await StartAsync("m", "m.safetensors");
        DriftMonitor monitor = MonitorOf(host, "m");
        byte[] example = MemoryMarshal.AsBytes<float>(Inputs(1)).ToArray();
        for (int i = 0; i < DriftMonitor.Window + 5; i++)
        {
            monitor.Observe(example);
        }

        using ModelCall call = Model(host, "m").Begin();
        Set(call, Inputs(2));
        await call.RunAsync();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 300; i++)
        {
            monitor.Offer([(QueuedCall)call], TimeSpan.FromMilliseconds(1));
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(monitor.Samples, Is.GreaterThan(DriftMonitor.Window + 5));
    }

    private static TrainingStatistics Statistics() => TrainingStatistics.Of(Inputs(3000, 9), new Shape(6));

    private static DriftMonitor MonitorOf(IHost host, string model) =>
        host.Services.GetRequiredService<ServingTelemetry>().Of(model, "1").Drift!()!;

    /// <summary>As if a long computation had come before, so that the next call is sampled.</summary>
    private static void Spend(DriftMonitor monitor) => monitor.Affords(TimeSpan.FromSeconds(1));
}
