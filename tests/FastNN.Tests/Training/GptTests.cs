namespace FastNN.Tests.Training;

internal sealed class GptTests : GptFixture
{
    protected override (int Width, int Layers, int Heads, int Context, int Batch) Size => (256, 4, 4, 128, 8);

    protected override Device Open(int threads = 1) => Device.Cpu(threads);
}
