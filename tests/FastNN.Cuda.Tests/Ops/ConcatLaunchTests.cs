namespace FastNN.Cuda.Tests;

/// <summary>Inputs that are joined share launches: networks of dense blocks join dozens of them.</summary>
internal sealed class ConcatLaunchTests : DeviceFixture
{
    [TestCase(1, 1)]
    [TestCase(2, 1)]
    [TestCase(32, 1)]
    [TestCase(33, 2)]
    [TestCase(70, 3)]
    public void Up_to_32_inputs_are_joined_in_one_launch_each_way(int inputs, int launches)
    {
        // Rows of whole sectors and not.
        OpInput[] x = [
            .. Enumerable.Range(0, inputs).Select(i => OpInput.Uniform($"x{i}", new Shape(13, i % 5 == 0 ? 32 : i % 7 + 1)))];
        Require(x, values => Operators.Concat(1, values), launches, launches);
    }

    /// <summary>What its last place writes is written before its first adds.</summary>
    [Test]
    public void A_value_joined_with_itself_takes_a_launch_more_backward() => Require(
        [OpInput.Uniform("a", new Shape(13, 7)), OpInput.Uniform("b", new Shape(13, 8))],
        values => Operators.Concat(1, values[0], values[1], values[0], values[1]), 1, 2);

    /// <summary>The numbers of the CPU, bit by bit.</summary>
    private void Require(OpInput[] inputs, Func<Value[], Value> build, int forward, int backward)
    {
        var @case = new OpCase("joined", inputs, build, _ => []);
        using OpRun expected = @case.Compile(One), actual = @case.Compile(Gpu);
        expected.Run();
        TestGpu.Software.ResetCounters();
        actual.Run();
        Assert.That(actual.Results, Is.EqualTo(expected.Results));
        Assert.That(
            TrafficCase.Launched().Where(kernel => kernel.Name == "concat_rows").Sum(kernel => kernel.Launches),
            Is.EqualTo(forward + backward));
    }
}
