using FastNN.Tensors;

namespace FastNN.Tests.Training;

[NonParallelizable]
internal sealed class LifetimeTests : LifetimeFixture
{
    protected override long LiveBlocks => HostMemory.LiveBlocks;

    protected override Device Open() => Device.Cpu(2);
}
