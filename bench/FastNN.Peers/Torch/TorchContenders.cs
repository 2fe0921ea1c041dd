using static TorchSharp.torch;

namespace FastNN.Peers;

/// <summary>
/// TorchSharp's side, written as a careful PyTorch user would: fused functions, no gradients recorded where none are
/// wanted, temporaries given back by a dispose scope per step. Where libtorch offers several ways or layouts, each is a
/// contender and the fastest counts as the peer.
/// </summary>
internal static class TorchContenders
{
    public static IEnumerable<IContender> Create(Case @case) => @case switch
    {
        GemmCase gemm => [new TorchGemm(gemm)],
        ConvolutionCase convolution =>
            [new TorchConvolution(convolution, channelsLast: false), new TorchConvolution(convolution, channelsLast: true)],
        NetworkCase { Recipe.Convolutions.Length: 0 } network => [TorchNetwork.Contender(network, channelsLast: false)],
        NetworkCase network =>
            [TorchNetwork.Contender(network, channelsLast: false), TorchNetwork.Contender(network, channelsLast: true)],
        LargeNetworkCase network => network.Network.IsImages
            ? [new TorchLargeNetwork(network, channelsLast: false), new TorchLargeNetwork(network, channelsLast: true)]
            : [new TorchLargeNetwork(network, channelsLast: false)],
        GraphKernelCase kernel => [.. kernel.Kernel.Torch.Select(variant => new TorchGraphKernel(kernel, variant))],
        _ => throw new ArgumentOutOfRangeException(nameof(@case), @case.Name, "No TorchSharp contender."),
    };

    /// <summary>
    /// The same values with NHWC strides behind the shape [N,C,H,W]: libtorch takes the layout from the strides.
    /// </summary>
    public static Tensor Layout(Tensor images, bool channelsLast) =>
        channelsLast ? images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : images;

    public static string LayoutName(bool channelsLast) => channelsLast ? "torchsharp (channels last)" : "torchsharp";
}

internal sealed class TorchGemm : IContender
{
    private readonly Tensor _a, _b, _c;

    public TorchGemm(GemmCase @case)
    {
        _a = rand(@case.M, @case.K);
        _b = rand(@case.K, @case.N);
        _c = zeros(@case.M, @case.N);
    }

    public string Name => "torchsharp";

    // In place with beta 0, because `mm` would allocate its result each time.
    public void Step() => _c.addmm_(_a, _b, beta: 0, alpha: 1);

    public void Dispose()
    {
        _a.Dispose();
        _b.Dispose();
        _c.Dispose();
    }
}

internal sealed class TorchConvolution : IContender
{
    private readonly ConvolutionCase _case;
    private readonly Tensor _input, _weight, _bias, _gradient;
    private readonly long[] _ones = [1, 1], _padding, _stride;

    public TorchConvolution(ConvolutionCase @case, bool channelsLast)
    {
        _case = @case;
        Name = TorchContenders.LayoutName(channelsLast);
        var shape = @case.Shape;
        _input = Leaf(rand(shape.Batch, shape.InChannels, shape.Size, shape.Size));
        _weight = Leaf(rand(shape.OutChannels, shape.InChannels / shape.Groups, shape.Kernel, shape.Kernel) - 0.5);
        _bias = rand(shape.OutChannels).requires_grad_(@case.Backward);
        _gradient = TorchContenders.Layout(rand(shape.Batch, shape.OutChannels, shape.OutSize, shape.OutSize), channelsLast);
        _padding = [shape.Padding, shape.Padding];
        _stride = [shape.Stride, shape.Stride];

        Tensor Leaf(Tensor values) =>
            TorchContenders.Layout(values, channelsLast).detach().requires_grad_(@case.Backward);
    }

    public string Name { get; }

    public void Step()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode(!_case.Backward);
        var output = nn.functional.conv2d(_input, _weight, _bias, _stride, _padding, _ones, _case.Shape.Groups);
        if (_case.Backward)
        {
            autograd.grad([output], [_input, _weight, _bias], [_gradient]);
        }
    }

    public void Dispose()
    {
        _input.Dispose();
        _weight.Dispose();
        _bias.Dispose();
        _gradient.Dispose();
    }
}
