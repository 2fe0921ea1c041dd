namespace FastNN;

/// <summary>The type of a tensor's elements inside the engine.</summary>
public enum DType
{
    /// <summary>IEEE binary32: values, gradients and parameters.</summary>
    Float32,

    /// <summary>32-bit signed integers: class indices.</summary>
    Int32,

    /// <summary>Bytes: pooling winners and other records that only a backward pass reads.</summary>
    UInt8,
}

internal static class DTypes
{
    public static int Size(this DType type) => type == DType.UInt8 ? 1 : 4;
}
