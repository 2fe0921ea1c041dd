using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Convolution on tensors; the work is in <see cref="Convolution"/>.</summary>
internal sealed unsafe partial class CpuWindows
{
    public static bool WantsTransposedFilter(in Conv2DGeometry geometry, ConvolutionPass pass) => false;

    /// <summary>Row by row: what the CPU's own convolutions never need.</summary>
    public void TransposeFilters(
        ReadOnlySpan<Tensor?> from, ReadOnlySpan<Tensor?> to, bool back, ReadOnlySpan<bool> accumulate)
    {
        for (int i = 0; i < from.Length; i++)
        {
            if (from[i] is not { } x || to[i] is not { } y)
            {
                continue;
            }

            bool adds = accumulate.Length > 0 && accumulate[i];
            int outputs = back ? x.Shape[0] : x.Shape[-1], taps = outputs == 0 ? 0 : Tensor.Index(x.Count / outputs);
            (int rows, int columns) = back ? (outputs, taps) : (taps, outputs);
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    float value = Floats(x)[((nint)row * columns) + column];
                    float* target = Floats(y) + ((nint)column * rows) + row;
                    *target = adds ? *target + value : value;
                }
            }
        }
    }

    public long Conv2DWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        Convolution.WorkspaceBytes(geometry, pass, AllowsWinograd(geometry));

    public void Conv2DForward(
        in Conv2DGeometry geometry, Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation, Tensor? workspace,
        bool accumulate)
    {
        var epilogue = new Epilogue(Floats(bias), activation, accumulate);
        Convolution.Forward(
            Pool, geometry, Floats(x), Floats(weight) + geometry.FilterOffset, Floats(y), epilogue, Bytes(workspace),
            AllowsWinograd(geometry), weight.Frozen);
    }

    public void Conv2DMaxPoolForward(
        in Conv2DGeometry convolution, in Pool2DGeometry pooling, Tensor x, Tensor weight, Tensor? bias, Tensor y,
        Activation activation, bool relu, Tensor? workspace)
    {
        var epilogue = new Epilogue(Floats(bias), activation);
        Convolution.ForwardPooled(
            Pool, convolution, pooling, Floats(x), Floats(weight) + convolution.FilterOffset, Floats(y), epilogue, relu,
            Bytes(workspace), weight.Frozen);
    }

    public bool PoolsBehindConvolution(in Conv2DGeometry convolution, in Pool2DGeometry pooling) =>
        Convolution.Pools(convolution, pooling, AllowsWinograd(convolution));

    public static bool FiltersBehindProduct(in Conv2DGeometry product, in Conv2DGeometry depthwise) =>
        Convolution.Expands(product, depthwise);

    public void Conv2DDepthwiseForward(
        in Conv2DGeometry product, in Conv2DGeometry depthwise, Tensor x, Tensor weight, Tensor? bias, Activation between,
        Tensor filter, Tensor? filterBias, Tensor y, Activation activation)
    {
        Convolution.ForwardExpanded(
            Pool, product, depthwise, Floats(x), Floats(weight) + product.FilterOffset, Floats(filter) + depthwise.FilterOffset,
            Floats(y), new Epilogue(Floats(bias), between), new Epilogue(Floats(filterBias), activation), weight.Frozen);
    }

    public void Conv2DBackwardData(
        in Conv2DGeometry geometry, Tensor dY, Tensor weight, Tensor dX, bool accumulate, Tensor? workspace, Tensor? bias,
        Activation activation)
    {
        var epilogue = new Epilogue(Floats(bias), activation, accumulate);
        Convolution.BackwardData(
            Pool, geometry, Floats(dY), Floats(weight) + geometry.FilterOffset, Floats(dX), epilogue, Bytes(workspace),
            AllowsWinograd(geometry));
    }

    public void Conv2DBackwardFilter(
        in Conv2DGeometry geometry, Tensor x, Tensor dY, Tensor dWeight, Tensor? dBias, bool accumulateWeight,
        bool accumulateBias, Tensor? workspace) =>
        Convolution.BackwardFilter(
            Pool, geometry, Floats(x), Floats(dY), Floats(dWeight) + geometry.FilterOffset, Floats(dBias), accumulateWeight,
            accumulateBias, Bytes(workspace), AllowsWinograd(geometry));

    private bool AllowsWinograd(in Conv2DGeometry geometry) => Options.AllowWinograd && !geometry.IsDirect;
}
