using FastNN.Kernels;

namespace FastNN.Tests.Graphs;

internal sealed class RandomGraphTests : RandomGraphFixture
{
    protected override IDevice Device => Two;

    protected override int Programs => 160;
}
