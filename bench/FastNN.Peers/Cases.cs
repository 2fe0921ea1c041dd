namespace FastNN.Peers;

/// <summary>One thing that both sides are timed on. Names and phases are what <c>--only</c> and the JSON speak of.</summary>
internal abstract record Case(string Name, string Phase)
{
    /// <summary>Floating-point operations of one step (a multiply-add counts two), or 0 where a rate says nothing.</summary>
    public virtual double Flops => 0;

    public static IReadOnlyList<Case> All { get; } =
    [
        .. Recipe.All.Select(recipe => new NetworkCase(recipe, Train: true)),
        .. Recipe.All.Select(recipe => new NetworkCase(recipe, Train: false)),
        .. LargeNetwork.All.Select(network => new LargeNetworkCase(network, Train: true)),
        .. LargeNetwork.All.Select(network => new LargeNetworkCase(network, Train: false)),
        .. new[] { 512, 768, 1024, 2048 }.Select(size => new GemmCase($"gemm-{size}", size, size, size)),
        new GemmCase("gemm-64x4096x4096", 64, 4096, 4096),
        new GemmCase("gemv-4096", 1, 4096, 4096),
        .. ConvolutionShape.All.SelectMany(shape =>
            new[] { new ConvolutionCase(shape, Backward: false), new ConvolutionCase(shape, Backward: true) }),
        .. GraphKernel.All.Where(kernel => kernel.Forward).Select(kernel => new GraphKernelCase(kernel, Backward: false)),
        .. GraphKernel.All.Select(kernel => new GraphKernelCase(kernel, Backward: true)),
    ];
}

/// <summary>C [m,n] = A [m,k] · B [k,n], row-major.</summary>
internal sealed record GemmCase(string Title, int M, int N, int K) : Case(Title, "forward")
{
    public override double Flops => 2.0 * M * N * K;
}

/// <summary>
/// Convolution with bias. Backward adds the gradients of input, weight and bias, each written anew.
/// </summary>
internal sealed record ConvolutionCase(ConvolutionShape Shape, bool Backward)
    : Case(Shape.Name, Backward ? "forward-backward" : "forward")
{
    public override double Flops => Shape.Flops * (Backward ? 3 : 1);
}

internal sealed record ConvolutionShape(
    int InChannels, int OutChannels, int Kernel, int Size, int Batch, int Padding, int Stride = 1, int Groups = 1,
    string? Title = null)
{
    public static IReadOnlyList<ConvolutionShape> All { get; } =
    [
        new(32, 64, 3, 13, 32, Padding: 0),
        new(64, 64, 3, 56, 8, Padding: 1),
        new(256, 256, 3, 14, 8, Padding: 1),
        new(256, 64, 1, 56, 8, Padding: 0),
        new(3, 64, 7, 224, 1, Padding: 3, Stride: 2, Title: "conv-3-64-7x7s2-224"),
        new(512, 512, 3, 7, 8, Padding: 1),
        new(128, 128, 3, 56, 8, Padding: 1, Groups: 128, Title: "conv-depthwise-3x3-56x56"),
    ];

    public string Name => Title ?? $"conv-{InChannels}-{OutChannels}-{Kernel}x{Kernel}-{Size}x{Size}-b{Batch}";

    public int OutSize => (Size + 2 * Padding - Kernel) / Stride + 1;

    public double Flops => 2.0 * Batch * OutSize * OutSize * OutChannels * InChannels / Groups * Kernel * Kernel;
}

/// <summary>
/// Train: one whole step (clear gradients, forward, loss, backward, optimizer, loss read back) on one batch in memory.
/// Otherwise: the prediction of a single image.
/// </summary>
internal sealed record NetworkCase(Recipe Recipe, bool Train) : Case(Recipe.Name, Train ? "train" : "infer")
{
    public int Batch => Train ? Recipe.Batch : 1;
}

internal enum Optimizing { Adam, Momentum }

/// <summary>
/// A recipe's network in the form that all of them share: convolutions (valid, each with ReLU and a 2x2 max pool),
/// then dense layers (ReLU between, logits at the end), trained with cross-entropy at a rate of 1e-3.
/// </summary>
internal sealed record Recipe(
    string Name, int Channels, int Size, (int Filters, int Kernel)[] Convolutions, int[] Dense, int Batch, Optimizing Optimizer)
{
    public const float LearningRate = 1e-3f;
    public const float Momentum = 0.9f;
    public const int Classes = 10;

    public static IReadOnlyList<Recipe> All { get; } =
    [
        new("mnist-mlp", 1, 28, [], [64, Classes], 32, Optimizing.Adam),
        new("mnist-cnn", 1, 28, [(32, 3), (64, 3)], [64, Classes], 128, Optimizing.Adam),
        new("mnist-cnn-small", 1, 28, [(32, 3)], [128, Classes], 32, Optimizing.Adam),
        new("lenet-rgb", 3, 32, [(6, 5), (16, 5)], [120, 84, Classes], 4, Optimizing.Momentum),
    ];

    /// <summary>Values that reach the first dense layer per image.</summary>
    public int Features
    {
        get
        {
            int size = Size, channels = Channels;
            foreach (var (filters, kernel) in Convolutions)
            {
                (size, channels) = ((size - kernel + 1) / 2, filters);
            }

            return channels * size * size;
        }
    }
}
