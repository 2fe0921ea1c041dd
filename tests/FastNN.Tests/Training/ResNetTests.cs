namespace FastNN.Tests.Training;

[TestFixture(64, 32, 8)]
[TestFixture(16, 33, 3)]
internal sealed class ResNetTests(int width, int side, int batch) : ResNetFixture
{
    protected override int BatchSize => batch;

    protected override (int Width, int Side) Size => (width, side);

    protected override Device Open(int threads = 1) => Device.Cpu(threads);
}
