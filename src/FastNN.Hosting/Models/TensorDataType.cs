namespace FastNN.Hosting;

/// <summary>Element types of the Open Inference Protocol, version 2; their names there stand behind each.</summary>
public enum TensorDataType
{
    /// <summary>BOOL: a byte each, 0 or 1.</summary>
    Bool,

    /// <summary>UINT8.</summary>
    UInt8,

    /// <summary>UINT16.</summary>
    UInt16,

    /// <summary>UINT32.</summary>
    UInt32,

    /// <summary>UINT64.</summary>
    UInt64,

    /// <summary>INT8.</summary>
    Int8,

    /// <summary>INT16.</summary>
    Int16,

    /// <summary>INT32.</summary>
    Int32,

    /// <summary>INT64.</summary>
    Int64,

    /// <summary>FP16.</summary>
    Float16,

    /// <summary>FP32.</summary>
    Float32,

    /// <summary>FP64.</summary>
    Float64,

    /// <summary>BF16.</summary>
    BFloat16,

    /// <summary>BYTES: text or other bytes; of each element its length as a little-endian uint32, and then its bytes.</summary>
    Bytes,
}
