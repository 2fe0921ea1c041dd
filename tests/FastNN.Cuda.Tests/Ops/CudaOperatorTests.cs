using FastNN.Kernels;

namespace FastNN.Cuda.Tests;

/// <summary>Every case of every operator, as on the CPU.</summary>
/// <param name="cases">Closes the type: one fixture per operator.</param>
[TestFixtureSource(typeof(OpFixtures), nameof(OpFixtures.All))]
internal sealed class CudaOperatorTests<TCases>(TCases cases) : OpFixture<TCases>
    where TCases : IOpCases
{
    protected override IReadOnlyList<IDevice> Devices => [Gpu];

    [Test]
    public void The_operator_has_cases() => Assert.That(Sources, Is.Not.Empty, cases.GetType().Name);
}
