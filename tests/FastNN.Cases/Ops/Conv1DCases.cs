namespace FastNN.Testing;

internal sealed class Conv1DCases : IOpCases
{
    public static IEnumerable<OpCase> Cases { get; } = new ConvolutionCase[]
    {
        new() { X = [1, 1, 1], Filters = 1, Kernel = [1] },
        new() { X = [2, 13, 3], Filters = 7, Kernel = [3] },
        new() { X = [3, 17, 7], Filters = 5, Kernel = [1] },
        new() { X = [2, 31, 4], Filters = 6, Kernel = [3], Stride = [2], Padding = [1] },
        new() { X = [2, 33, 3], Filters = 17, Kernel = [5], Padding = [4], Dilation = [2] },
        new() { X = [2, 13, 6], Filters = 10, Kernel = [3], Padding = [1], Groups = 2 },
        new() { X = [2, 17, 13], Filters = 13, Kernel = [3], Padding = [1], Groups = 13, Activation = Activation.ReLU },
        new() { X = [1, 129, 1], Filters = 33, Kernel = [7], Stride = [3], Bias = false },
        new() { X = [2, 12, 33], Filters = 31, Kernel = [2], Stride = [3] },
        new() { X = [0, 13, 3], Filters = 7, Kernel = [3] },
        new() { X = [2, 33, 33], Filters = 65, Kernel = [3], Padding = [1], Activation = Activation.Gelu },
    }.Select(@case => @case.Build());
}
