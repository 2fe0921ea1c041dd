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
}
