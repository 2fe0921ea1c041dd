using FastNN.Tensors;
using NUnit.Framework.Interfaces;

namespace FastNN.Testing;

/// <summary>
/// Every test of the assembly gives back each native block that it took: as many are alive after it as before.
/// What a fixture holds for all its tests was there before; <see cref="DeviceFixture"/> checks that at its own end.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class NoLiveBlocksAttribute : Attribute, ITestAction
{
    private long _before;

    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test) => _before = HostMemory.LiveBlocks;

    public void AfterTest(ITest test) =>
        Assert.That(HostMemory.LiveBlocks, Is.EqualTo(_before), $"{test.Name} kept native blocks alive");
}
