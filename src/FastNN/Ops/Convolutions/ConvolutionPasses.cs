using FastNN.Functions;
using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Ops;

/// <content>The passes, tap by tap of the depth.</content>
internal sealed partial class ConvolutionGeometry
{
    private static readonly BinaryFunction Addition = BinaryFunction.Of<Functions.Add>();

    /// <summary>y = f(conv(x, weight) + bias), or y += conv(x, weight).</summary>
    public void Forward(
        IKernels kernels, Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation, bool accumulate,
        Tensor? workspace) =>
        Sum(kernels, toImages: false, x, weight, bias, y, activation, accumulate, workspace);

    /// <summary>dX (=|+=) the gradient of x, or, as a transposed convolution's forward, dX = f(that + bias).</summary>
    public void BackwardData(
        IKernels kernels, Tensor dY, Tensor weight, Tensor? bias, Tensor dX, Activation activation, bool accumulate,
        Tensor? workspace) =>
        Sum(kernels, toImages: true, dY, weight, bias, dX, activation, accumulate, workspace);

    /// <summary>dWeight (=|+=) the filter's gradient, dBias (=|+=) the sums of dY per channel, if it is asked for.</summary>
    public void BackwardFilter(
        IKernels kernels, Tensor x, Tensor dY, Tensor dWeight, Tensor? dBias, bool accumulateWeight, bool accumulateBias,
        Tensor? workspace)
    {
        for (int tap = 0; tap < _taps.Length; tap++)
        {
            kernels.Windows.Conv2DBackwardFilter(
                _taps[tap], x, dY, dWeight, tap == 0 ? dBias : null, accumulateWeight, accumulateBias, workspace);
        }
    }

    /// <summary>
    /// The sum over the taps. One that meets everything comes first, so that it writes and brings the bias; without any, the sums
    /// start from the bias or from 0. The activation is the last tap's where that meets everything too.
    /// </summary>
    private void Sum(
        IKernels kernels, bool toImages, Tensor from, Tensor weight, Tensor? bias, Tensor to, Activation activation,
        bool accumulate, Tensor? workspace)
    {
        int whole = toImages ? _wholeData : _wholeForward, last = _taps.Length - 1;
        last -= last == whole && last > 0 ? 1 : 0;
        DepthTap depth = _taps[last].Depth;
        bool isFused = toImages ? depth.MeetsAllImages : depth.MeetsAllSamples;
        if (whole >= 0)
        {
            Activation fused = whole == last ? activation : default;
            Tap(kernels, toImages, whole, from, weight, bias, to, fused, accumulate, workspace);
        }
        else if (!accumulate)
        {
            Begin(kernels, bias, to);
        }

        for (int tap = 0; tap < _taps.Length; tap++)
        {
            if (tap != whole)
            {
                Activation fused = tap == last && isFused ? activation : default;
                Tap(kernels, toImages, tap, from, weight, null, to, fused, true, workspace);
            }
        }

        if (!isFused && !activation.IsNone)
        {
            kernels.Elements.ActivationForward(activation, to, to);
        }
    }

    private void Tap(
        IKernels kernels, bool toImages, int tap, Tensor from, Tensor weight, Tensor? bias, Tensor to, Activation activation,
        bool accumulate, Tensor? workspace)
    {
        if (toImages)
        {
            kernels.Windows.Conv2DBackwardData(_taps[tap], from, weight, to, accumulate, workspace, bias, activation);
        }
        else
        {
            kernels.Windows.Conv2DForward(_taps[tap], from, weight, bias, to, activation, workspace, accumulate);
        }
    }

    private static void Begin(IKernels kernels, Tensor? bias, Tensor sums)
    {
        kernels.Memory.Fill(sums, 0);
        if (bias is not null)
        {
            kernels.Elements.BinaryForward(Addition, sums, bias, sums);
        }
    }
}
