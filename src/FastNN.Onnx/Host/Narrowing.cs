namespace FastNN.Onnx.Host;

/// <summary>
/// Runs kernels on float16 and bfloat16: inputs are widened to float32, and outputs of float32 are rounded once, where the kernel
/// does not look after the types itself.
/// </summary>
internal static class Narrowing
{
    public static OnnxValue?[] Call(HostNode node, OnnxValue?[] inputs, HostFrame frame)
    {
        OnnxElementType narrow = OnnxElementType.Undefined;
        if (!HostKernels.TakesAllTypes(node.Definition))
        {
            foreach (OnnxValue? input in inputs)
            {
                if (input is OnnxTensor { ElementType: OnnxElementType.Float16 or OnnxElementType.BFloat16 } tensor)
                {
                    narrow = tensor.ElementType;
                    break;
                }
            }
        }

        if (narrow == OnnxElementType.Undefined)
        {
            return Guarded(node, inputs, frame);
        }

        OnnxValue?[] wide = Array.ConvertAll(inputs, input => input is OnnxTensor { ElementType: var type } tensor
            && type.IsNarrowFloat()
            ? Numbers.Convert(tensor, OnnxElementType.Float32)
            : input);
        OnnxValue?[] outputs = Guarded(node, wide, frame);
        return Array.ConvertAll(outputs, output => output is OnnxTensor { ElementType: OnnxElementType.Float32 } tensor
            ? Numbers.Convert(tensor, narrow)
            : output);
    }

    // What a kernel did not think of still names the node.
    private static OnnxValue?[] Guarded(HostNode node, OnnxValue?[] inputs, HostFrame frame)
    {
        try
        {
            return node.Kernel(new HostCall(node, inputs, frame));
        }
        catch (Exception e) when (e is OverflowException or NotSupportedException or OutOfMemoryException)
        {
            throw new OnnxException(
                $"{node.Definition.Title}: {e.Message}; inputs: {HostCall.List(inputs)}.", e);
        }
    }
}
