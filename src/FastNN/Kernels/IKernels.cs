namespace FastNN.Kernels;

/// <summary>
/// What a device must be able to compute, by facet: one interface and one folder each, here and in Cpu/ and Cuda/, and in it one
/// file per family, named as its row in kernels/ and Ops/. Conventions: tensors are dense and row-major, images NHWC; where a
/// method takes <c>accumulate</c>, it adds to the gradient (+=), otherwise it overwrites it (=). Kernels allocate nothing, trust
/// the shapes that the operators checked, and give the same bits for any number of threads.
/// </summary>
internal interface IKernels : ICustomKernels
{
    IElements Elements { get; }

    IReductions Reductions { get; }

    IProducts Products { get; }

    IWindows Windows { get; }

    INormalizations Normalizations { get; }

    IIndexing Indexing { get; }

    IAttention Attention { get; }

    IRecurrence Recurrence { get; }

    ILosses Losses { get; }

    IUpdates Updates { get; }

    IMemory Memory { get; }
}
