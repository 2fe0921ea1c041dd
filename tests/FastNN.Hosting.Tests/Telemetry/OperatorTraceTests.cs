using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace FastNN.Hosting.Tests.Telemetry;

/// <summary>Activities of single operators.</summary>
internal sealed class OperatorTraceTests
{
    [Test]
    public void Operators_are_seen_below_compute_while_somebody_asks_for_them()
    {
        using ServiceProvider services = new ServiceCollection().AddServingTelemetry().BuildServiceProvider();
        ModelTelemetry telemetry = services.GetRequiredService<ServingTelemetry>().Of("operators", "1");
        using Device device = Device.Cpu(1);
        var model = new Sequential(new Dense(8), new Softmax());
        model.Build(new Shape(4), seed: 1);
        using Session session = model.CreateSession(device);
        Assert.That(Run(), Is.Null, "nobody asks");

        List<Activity> ended;
        using (var heard = new HeardActivities())
        {
            ended = heard.Ended;
            Assert.That(Run(), Is.Not.Null);
        }

        Activity compute = ended.Single(one => one.OperationName == "compute");
        Activity[] operators = [.. ended.Where(one => one.Source.Name == FastNNDiagnostics.OperatorActivitySourceName)];
        Assert.Multiple(() =>
        {
            Assert.That(operators, Has.Length.GreaterThanOrEqualTo(2));
            Assert.That(operators, Has.All.Matches<Activity>(
                one => one.ParentSpanId == compute.SpanId && one.Duration > TimeSpan.Zero));
            Assert.That(operators.Select(one => one.OperationName), Has.Some.Contains("Dense"));
        });
        Assert.That(Run(), Is.Null, "nobody asks any more");

        BatchTrace? Run()
        {
            using var call = new FinishedCall();
            CallTrace trace = telemetry.CallStarted();
            BatchTrace? batch = telemetry.BatchStarted(session);
            session.Run(new float[4], new float[8]);
            telemetry.BatchRun(1, call.ComputeTime, batch);
            telemetry.CallEnded(trace, call, null, batch);
            return batch;
        }
    }
}
