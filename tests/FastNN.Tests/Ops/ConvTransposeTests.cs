using FastNN.Cpu;

namespace FastNN.Tests.Ops;

internal sealed class ConvTransposeTests : CpuOpFixture<ConvTransposeCases>
{
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    public void A_transposed_convolution_undoes_the_shape_of_its_convolution(int axes)
    {
        var graph = new Graph(GraphMode.Inference);
        int[] extents = [13, 17, 11];
        Value x = graph.Input(new Shape([2, .. extents[..axes], 6]));
        Value filter = graph.Input(new Shape([.. Enumerable.Repeat(3, axes), 3, 8]));
        Value y = axes switch
        {
            1 => x.Conv1D(filter, stride: 2, padding: 1, groups: 2).ConvTranspose1D(filter, stride: 2, padding: 1, groups: 2),
            2 => x.Conv2D(filter, stride: 2, padding: 1, groups: 2).ConvTranspose2D(filter, stride: 2, padding: 1, groups: 2),
            _ => x.Conv3D(filter, stride: 2, padding: 1, groups: 2).ConvTranspose3D(filter, stride: 2, padding: 1, groups: 2),
        };
        Assert.That(y.Shape, Is.EqualTo(x.Shape));
    }

    [TestCase(0, false)]
    [TestCase(1, false)]
    [TestCase(2, false)]
    [TestCase(1, true)]
    public void By_Winograds_algorithm_bias_and_activation_are_those_of_the_direct_sums(int padding, bool curved)
    {
        OpCase @case = new ConvolutionCase
        {
            X = [8, 16, 15, 64],
            Filters = 64,
            Kernel = [3, 3],
            Padding = [padding, padding],
            Activation = curved ? Activation.Gelu : Activation.ReLU,
        }.Build();
        using var plain = new CpuDevice(2, new CpuOptions { AllowWinograd = false });
        using OpRun fast = @case.Compile(Two, 0, 1, 2), direct = @case.Compile(plain, 0, 1, 2);
        fast.Run();
        direct.Run();
        // Behind ReLU a sum that rounds to either side of 0 gives another gradient.
        for (int i = 0; i < (curved ? fast.Results.Length : 1); i++)
        {
            double largest = direct.Results[i].Max(Math.Abs);
            Assert.That(fast.Results[i].Zip(direct.Results[i], (a, b) => Math.Abs(a - b)).Max(), Is.LessThan(2e-5 * largest));
        }
    }
}
