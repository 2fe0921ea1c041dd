using System.Runtime.InteropServices;
using FastNN.Tensors;

namespace FastNN.Cuda;

/// <summary>Activations: y = f(x), 8 bytes per element; dX (=|+=) dY f', 12 or 16 bytes.</summary>
internal sealed unsafe partial class CudaDevice
{
    public void ActivationForward(Activation activation, float slope, Tensor x, Tensor y)
    {
        string? kernel = activation switch
        {
            Activation.ReLU => "activation_forward_relu",
            Activation.LeakyReLU => "activation_forward_leakyrelu",
            Activation.Sigmoid => "activation_forward_sigmoid",
            Activation.Tanh => "activation_forward_tanh",
            Activation.Gelu => "activation_forward_gelu",
            Activation.GeluTanh => "activation_forward_gelutanh",
            _ => null,
        };
        if (kernel is not null && x.Count > 0)
        {
            Launch("activations", kernel, ElementGrid(x.Count), new ActivationForwardArguments(x.Address, y.Address, x.Count, slope));
        }
        else if (x.Address != y.Address)
        {
            Copy(x, y, accumulate: false);
        }
    }

    public void ActivationBackward(Activation activation, float slope, Tensor xOrY, Tensor dY, Tensor dX, bool accumulate)
    {
        string? kernel = activation switch
        {
            Activation.ReLU => "activation_backward_relu",
            Activation.LeakyReLU => "activation_backward_leakyrelu",
            Activation.Sigmoid => "activation_backward_sigmoid",
            Activation.Tanh => "activation_backward_tanh",
            Activation.Gelu => "activation_backward_gelu",
            Activation.GeluTanh => "activation_backward_gelutanh",
            _ => null,
        };
        if (kernel is not null && dX.Count > 0)
        {
            var arguments = new ActivationBackwardArguments(xOrY.Address, dY.Address, dX.Address, dX.Count, slope, accumulate ? 1 : 0);
            Launch("activations", kernel, ElementGrid(dX.Count), arguments);
        }
        else if (accumulate || dX.Address != dY.Address)
        {
            Copy(dY, dX, accumulate);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ActivationForwardArguments(nint X, nint Y, long Count, float Slope);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ActivationBackwardArguments(nint XOrY, nint DY, nint DX, long Count, float Slope, int Accumulate);
}
