namespace FastNN.Cli.Recipes;

/// <summary>
/// A pole on a cart that is pushed left or right (Barto, Sutton, Anderson, 1983), with the constants and limits of Gym's
/// CartPole-v1: a reward of 1 for every step until the pole leans by more than 12 degrees, the cart is 2.4 off, or 500 steps are
/// done.
/// </summary>
internal sealed class CartPole : GameEnvironment
{
    private const double Gravity = 9.8, CartMass = 1, PoleMass = 0.1, HalfLength = 0.5, Force = 10, Interval = 0.02;
    private const double FarthestCart = 2.4, FarthestAngle = 12 * Math.PI / 180;
    private const double Mass = CartMass + PoleMass, PoleMoment = PoleMass * HalfLength;

    private double _position;
    private double _velocity;
    private double _angle;
    private double _rotation;

    public override int ObservationSize => 4;

    public override int Actions => 2;

    public override int MaxSteps => 500;

    /// <summary>Position, velocity, angle in radians, angular velocity.</summary>
    public override void Observe(Span<float> observation)
    {
        observation[0] = (float)_position;
        observation[1] = (float)_velocity;
        observation[2] = (float)_angle;
        observation[3] = (float)_rotation;
    }

    /// <summary>Sets the state, for tests.</summary>
    internal void Place(double position, double velocity, double angle, double rotation) =>
        (_position, _velocity, _angle, _rotation) = (position, velocity, angle, rotation);

    protected override void Begin(Random random) => Place(Draw(random), Draw(random), Draw(random), Draw(random));

    protected override (float Reward, bool Terminated) Act(int action)
    {
        double force = action == 1 ? Force : -Force;
        (double sine, double cosine) = Math.SinCos(_angle);
        double push = (force + (PoleMoment * _rotation * _rotation * sine)) / Mass;
        double angular = ((Gravity * sine) - (cosine * push))
            / (HalfLength * ((4.0 / 3) - (PoleMass * cosine * cosine / Mass)));
        double linear = push - (PoleMoment * angular * cosine / Mass);

        // Euler's method, positions before velocities.
        Place(
            _position + (Interval * _velocity), _velocity + (Interval * linear), _angle + (Interval * _rotation),
            _rotation + (Interval * angular));
        return (1, Math.Abs(_position) > FarthestCart || Math.Abs(_angle) > FarthestAngle);
    }

    private static double Draw(Random random) => (random.NextDouble() * 0.1) - 0.05;
}
