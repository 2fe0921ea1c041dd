using FastNN.Kernels;
using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Convolution on tensors; the work is in <see cref="Convolution"/>.</summary>
internal sealed unsafe partial class CpuWindows
{
    public long Conv2DWorkspaceBytes(in Conv2DGeometry geometry, ConvolutionPass pass) =>
        Convolution.WorkspaceBytes(geometry, pass, Options.AllowWinograd);

    public void Conv2DForward(
        in Conv2DGeometry geometry, Tensor x, Tensor weight, Tensor? bias, Tensor y, Activation activation, Tensor? workspace,
        bool accumulate)
    {
        var epilogue = new Epilogue(Floats(bias), activation, accumulate);
        Convolution.Forward(
            Pool, geometry, Floats(x), Floats(weight) + geometry.FilterOffset, Floats(y), epilogue, Bytes(workspace),
            Options.AllowWinograd);
    }

    public void Conv2DBackwardData(
        in Conv2DGeometry geometry, Tensor dY, Tensor weight, Tensor dX, bool accumulate, Tensor? workspace, Tensor? bias,
        Activation activation)
    {
        var epilogue = new Epilogue(Floats(bias), activation, accumulate);
        Convolution.BackwardData(
            Pool, geometry, Floats(dY), Floats(weight) + geometry.FilterOffset, Floats(dX), epilogue, Bytes(workspace),
            Options.AllowWinograd);
    }

    public void Conv2DBackwardFilter(
        in Conv2DGeometry geometry, Tensor x, Tensor dY, Tensor dWeight, Tensor? dBias, bool accumulateWeight,
        bool accumulateBias, Tensor? workspace) =>
        Convolution.BackwardFilter(
            Pool, geometry, Floats(x), Floats(dY), Floats(dWeight) + geometry.FilterOffset, Floats(dBias), accumulateWeight,
            accumulateBias, Bytes(workspace), Options.AllowWinograd);
}
