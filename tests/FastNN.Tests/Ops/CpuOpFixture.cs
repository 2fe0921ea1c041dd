using FastNN.Kernels;

namespace FastNN.Tests.Ops;

/// <summary>The cases of one operator on one CPU thread and on two; fixtures add what is special to their operator.</summary>
internal abstract class CpuOpFixture<TCases> : OpFixture<TCases>
    where TCases : IOpCases
{
    protected override IReadOnlyList<IDevice> Devices => [One, Two];
}
