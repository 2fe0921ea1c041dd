namespace FastNN.Tests.Graphs;

internal sealed class LstmNetworkTests : LstmNetworkFixture
{
    protected override Network Network { get; } = Of(inputs: 128, units: 256, steps: 64, batch: 32);

    protected override Device Open(int threads) => Device.Cpu(threads);
}
