namespace FastNN.Testing;

internal sealed class ConvTransposeCases : IOpCases
{
    public static IEnumerable<OpCase> Cases { get; } = new ConvolutionCase[]
    {
        new() { X = [1, 1, 1], Filters = 1, Kernel = [1] },
        new() { X = [2, 8, 3], Filters = 4, Kernel = [4], Stride = [2], Padding = [1] },
        new() { X = [2, 7, 6], Filters = 9, Kernel = [5], Stride = [3], Padding = [2], OutputPadding = [2], Groups = 3 },
        new() { X = [1, 17, 33], Filters = 31, Kernel = [3], Dilation = [3], Padding = [1], OutputPadding = [1], Bias = false },
        new() { X = [2, 5, 5, 3], Filters = 4, Kernel = [3, 3] },
        new() { X = [3, 7, 5, 13], Filters = 7, Kernel = [1, 1], Activation = Activation.Tanh },
        new() { X = [2, 5, 7, 4], Filters = 3, Kernel = [4, 4], Stride = [2, 2], Padding = [1, 1] },
        new() { X = [2, 4, 4, 3], Filters = 5, Kernel = [3, 3], Stride = [2, 2], Padding = [1, 1], OutputPadding = [1, 1] },
        new() { X = [2, 5, 5, 4], Filters = 6, Kernel = [3, 3], Padding = [1, 1], Groups = 2, Activation = Activation.ReLU },
        new() { X = [1, 5, 5, 3], Filters = 4, Kernel = [3, 3], Dilation = [2, 2], Activation = Activation.LeakyReLU },
        new() { X = [2, 4, 4, 33], Filters = 17, Kernel = [2, 2], Stride = [2, 2], Activation = Activation.ReLU },
        new()
        {
            X = [2, 4, 3, 5], Filters = 7, Kernel = [2, 3], Stride = [3, 2], OutputPadding = [2, 0], Activation = Activation.Gelu,
        },
        new() { X = [2, 6, 5, 13], Filters = 13, Kernel = [3, 3], Stride = [2, 2], Groups = 13, Activation = Activation.ReLU },
        new() { X = [2, 6, 5, 16], Filters = 16, Kernel = [3, 3], Padding = [1, 1], Groups = 16, Activation = Activation.Gelu },
        new() { X = [2, 9, 7, 31], Filters = 3, Kernel = [3, 3], Stride = [2, 2], Activation = Activation.Sigmoid },
        new() { X = [1, 9, 9, 64], Filters = 65, Kernel = [3, 3], Stride = [2, 2], Padding = [1, 1], OutputPadding = [1, 1] },
        new() { X = [0, 5, 3], Filters = 7, Kernel = [3], Stride = [2] },
        new() { X = [0, 5, 7, 3], Filters = 4, Kernel = [3, 3], Activation = Activation.ReLU },
        new() { X = [0, 3, 4, 3, 3], Filters = 5, Kernel = [3, 3, 3], Stride = [1, 2, 1], Bias = false },
        new() { X = [1, 1, 1, 1, 1], Filters = 1, Kernel = [1, 1, 1] },
        new() { X = [2, 3, 4, 3, 3], Filters = 5, Kernel = [3, 3, 3] },
        new() { X = [2, 3, 3, 4, 6], Filters = 4, Kernel = [3, 2, 3], Stride = [2, 2, 2], Padding = [1, 0, 1], Groups = 2 },
        new()
        {
            X = [2, 3, 3, 3, 5], Filters = 7, Kernel = [3, 3, 3], Stride = [2, 2, 1], Padding = [1, 1, 1],
            OutputPadding = [1, 0, 0], Activation = Activation.ReLU,
        },
        new() { X = [1, 4, 3, 3, 17], Filters = 33, Kernel = [3, 3, 3], Padding = [1, 1, 1], Activation = Activation.Tanh },
        new() { X = [2, 3, 4, 4, 13], Filters = 13, Kernel = [2, 3, 3], Dilation = [2, 1, 1], Groups = 13, Bias = false },
    }.Select(@case => @case.Build());
}
