namespace FastNN.Testing;

internal sealed class Conv3DCases : IOpCases
{
    public static IEnumerable<OpCase> Cases { get; } = new ConvolutionCase[]
    {
        new() { X = [1, 1, 1, 1, 1], Filters = 1, Kernel = [1, 1, 1] },
        new() { X = [2, 3, 5, 7, 3], Filters = 4, Kernel = [3, 3, 3] },
        new() { X = [2, 5, 7, 5, 3], Filters = 17, Kernel = [3, 3, 3], Padding = [1, 1, 1] },
        new() { X = [2, 4, 5, 5, 17], Filters = 33, Kernel = [2, 3, 2], Padding = [1, 1, 0], Activation = Activation.ReLU },
        new() { X = [2, 7, 6, 5, 5], Filters = 7, Kernel = [3, 3, 3], Stride = [2, 2, 2], Padding = [1, 1, 1] },
        new() { X = [1, 9, 5, 7, 3], Filters = 5, Kernel = [3, 2, 3], Dilation = [2, 2, 1], Padding = [2, 0, 1] },
        new() { X = [2, 5, 6, 6, 6], Filters = 4, Kernel = [3, 3, 3], Padding = [1, 1, 1], Groups = 2 },
        new() { X = [2, 4, 5, 5, 13], Filters = 13, Kernel = [3, 3, 3], Padding = [1, 1, 1], Groups = 13 },
        new()
        {
            X = [1, 5, 5, 5, 3], Filters = 6, Kernel = [2, 3, 3], Stride = [2, 1, 2], Groups = 3, Activation = Activation.Tanh,
        },
        new() { X = [3, 6, 4, 3, 7], Filters = 5, Kernel = [1, 1, 1] },
        new() { X = [2, 5, 4, 3, 7], Filters = 5, Kernel = [1, 1, 1], Stride = [2, 1, 1], Bias = false },
        new() { X = [2, 5, 4, 3, 7], Filters = 5, Kernel = [1, 3, 3], Padding = [1, 1, 1] },
        new() { X = [2, 2, 3, 3, 4], Filters = 3, Kernel = [2, 2, 2], Padding = [3, 1, 1], Activation = Activation.Sigmoid },
        new() { X = [1, 3, 8, 8, 1], Filters = 3, Kernel = [3, 3, 3], Activation = Activation.ReLU },
        new() { X = [0, 4, 5, 6, 3], Filters = 7, Kernel = [3, 2, 3], Padding = [1, 0, 1], Activation = Activation.ReLU },
        new() { X = [2, 4, 6, 6, 33], Filters = 65, Kernel = [3, 3, 3], Padding = [1, 1, 1], Activation = Activation.ReLU },
    }.Select(@case => @case.Build());
}
