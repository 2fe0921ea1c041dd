using FastNN.Tensors;

namespace FastNN.Cpu;

/// <summary>Writes the parts of a constant on the threads of a pool.</summary>
internal readonly unsafe struct PoolLoader(WorkerPool pool) : IConstantLoader
{
    public void Load(ConstantData data, byte* target)
    {
        var body = new PartBody(data, target);
        pool.Run(data.Parts, ref body);
    }

    private readonly struct PartBody(ConstantData data, byte* target) : IParallelBody
    {
        public void Invoke(int task, int worker) => data.Write(new Span<byte>(target, data.Length), task);
    }
}
