
namespace FastNN.Hosting.Tests.Telemetry;

/// <summary>A call that was answered: 2 ms in the queue, 4 ms of computing, in a batch of 3.</summary>
internal sealed class FinishedCall : ModelCall
{
    public override string Version => "1";

    public override int Priority { get; set; }

    public override long Deadline { get; set; }

    public override TimeSpan QueueTime => TimeSpan.FromMilliseconds(2);

    public override TimeSpan ComputeTime => TimeSpan.FromMilliseconds(4);

    public override int BatchSize => 3;

    public override Span<byte> SetInput(int index, ReadOnlySpan<int> dimensions, int bytes = -1) => [];

    public override ValueTask RunAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    public override ReadOnlySpan<int> OutputDimensions(int index) => [];

    public override ReadOnlySpan<byte> Output(int index) => [];

    protected override void Return()
    {
    }
}
