namespace FastNN.Tests.Training;

internal sealed class GptTests : GptFixture
{
    protected override (int Width, int Layers, int Heads, int Context) Size => (256, 4, 4, 128);

    protected override int BatchSize => 8;

    protected override Device Open(int threads = 1) => Device.Cpu(threads);
}
