#include "catalog/sample_shapes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace scalestyle::catalog {
namespace {

using enum Form;
using enum Paint;

constexpr ShapeLayer kTee[] = {
    {kShade, kHalf, "M128 84 Q106 80 99 54 L128 60"},
    {kCloth, kHalf, "M128 80 Q108 78 99 54 L74 63 Q52 70 36 116 L70 132 L80 112 Q83 180 79 264 Q104 270 128 270"},
    {kSeam, kHalf, "M128 86 Q104 84 94 56"},
    {kSeam, kPair, "M40 106 L75 122"}, {kSeam, kPair, "M80 112 Q76 88 84 62"}, {kSeam, kHalf, "M79 256 Q104 262 128 262"}};
constexpr ShapeLayer kShirt[] = {
    {kShade, kHalf, "M128 72 L104 50 L128 54"},
    {kCloth, kHalf, "M128 70 L104 52 L78 63 Q58 70 50 114 L34 226 L58 234 L80 130 Q83 200 78 266 Q104 282 128 276"},
    {kTint, kPair, "M128 70 L106 48 L97 58 L114 90 Z"},
    {kSeam, kPair, "M36 212 L61 220"}, {kSeam, kPair, "M80 130 Q76 92 86 62"},
    {kSeam, kWhole, "M123 72 L123 276"}, {kSeam, kWhole, "M133 72 L133 276"},
    {kSeam, kWhole, "M146 126 L174 126 L174 154 L160 161 L146 154 Z"},
    {kWhite, kWhole, "O 128 98 2.6 O 128 130 2.6 O 128 162 2.6 O 128 194 2.6 O 128 226 2.6 O 128 256 2.6"}};
constexpr ShapeLayer kBlouse[] = {
    {kShade, kHalf, "M128 92 Q112 74 106 54 L128 58"},
    {kCloth, kPair, "M84 66 C54 70 34 110 36 190 Q50 204 66 196 Q80 150 84 118 Z"},
    {kCloth, kHalf, "M128 96 Q112 76 104 54 L82 64 Q78 110 84 150 Q78 200 74 258 Q104 268 128 268"},
    {kTint, kPair, "M128 92 Q102 76 98 100 Q104 114 128 98 Z"}, {kTint, kPair, "M128 98 L108 148 L118 150 L128 112 Z"},
    {kSeam, kPair, "M38 182 Q52 194 67 186"}, {kSeam, kPair, "M52 178 Q54 140 66 104"}, {kSeam, kPair, "M86 152 Q96 200 92 258"},
    {kSeam, kPair, "M110 156 Q112 210 108 262"}};
constexpr ShapeLayer kJumper[] = {
    {kShade, kHalf, "M128 88 Q104 84 98 56 L128 56"},
    {kCloth, kHalf, "M128 84 Q108 82 100 58 L72 69 Q54 76 46 124 L36 232 Q48 240 63 236 L80 144 L78 268 Q104 274 128 274"},
    {kTint, kHalf, "M128 92 Q100 90 94 60 L102 52 Q110 78 128 78"},
    {kSeam, kPair, "M38 216 Q50 224 66 219"}, {kSeam, kHalf, "M78 250 Q104 256 128 256"}, {kSeam, kPair, "M80 144 Q74 100 86 64"},
    {kSeam, kPair, "M84 254 L84 270 M92 255 L92 272 M100 256 L100 273 M108 256 L108 274 M116 257 L116 274 M124 257 L124 274"},
    {kSeam, kPair, "M43 219 L41 235 M50 222 L48 238 M57 222 L56 238"},
    {kSeam, kPair, "M104 102 Q98 140 104 178 Q110 212 104 248"}, {kSeam, kPair, "M112 102 Q118 140 112 178 Q106 212 112 248"}};
constexpr ShapeLayer kCardigan[] = {
    {kShade, kHalf, "M128 150 L104 54 L128 58"},
    {kCloth, kHalf, "M128 152 L102 54 L74 66 Q56 74 48 122 L38 230 Q50 238 65 234 L80 142 L78 272 Q104 278 128 278"},
    {kTint, kPair, "M128 152 L102 54 L94 58 Q104 110 121 160 L121 278 L128 278 Z"},
    {kSeam, kPair, "M40 214 Q52 222 67 217"}, {kSeam, kPair, "M80 142 Q76 100 86 64"}, {kSeam, kPair, "M78 256 Q100 262 121 262"},
    {kSeam, kPair, "M86 214 L110 214 L110 244 L86 244 Z"},
    {kDark, kWhole, "O 128 170 3.4 O 128 196 3.4 O 128 222 3.4 O 128 248 3.4"}};
constexpr ShapeLayer kHoodie[] = {
    {kShade, kHalf, "M128 36 C96 34 84 60 92 82 L128 96"},
    {kCloth, kHalf, "M128 96 Q106 88 92 66 L70 74 Q52 82 44 128 L36 234 Q48 242 63 238 L80 146 L78 268 Q104 274 128 274"},
    {kTint, kPair, "M128 36 C92 32 80 62 92 80 Q104 98 128 106 L128 96 Q106 86 104 66 Q104 48 128 46 Z"},
    {kTint, kHalf, "M128 198 L104 198 L88 242 L128 242"},
    {kSeam, kPair, "M38 218 Q50 226 66 221"}, {kSeam, kHalf, "M78 252 Q104 258 128 258"}, {kSeam, kPair, "M80 146 Q74 104 84 72"},
    {kStitch, kPair, "M114 100 Q112 122 116 142"}};
constexpr ShapeLayer kDress[] = {
    {kShade, kHalf, "M128 90 Q108 86 102 52 L128 58"},
    {kCloth, kHalf, "M128 86 Q110 84 103 52 L92 50 Q94 84 84 104 Q92 132 91 152 Q70 220 50 288 Q92 304 128 302"},
    {kTint, kHalf, "M128 150 L91 148 L90 160 L128 162"},
    {kSeam, kPair, "M98 162 Q86 220 78 294"}, {kSeam, kPair, "M112 163 Q106 230 104 300"}, {kSeam, kPair, "M96 106 Q104 128 102 148"},
    {kSeam, kHalf, "M54 278 Q92 293 128 292"}};
constexpr ShapeLayer kMaxiDress[] = {
    {kCloth, kPair, "M88 60 C64 66 56 98 58 132 Q72 142 84 134 Q88 110 92 92 Z"},
    {kCloth, kHalf, "M128 100 L104 52 L86 58 Q84 90 92 130 Q70 210 58 300 Q96 310 128 310"},
    {kSeam, kPair, "M128 100 L104 52"}, {kSeam, kHalf, "M92 130 Q110 136 128 136"}, {kSeam, kHalf, "M75 206 Q104 216 128 216"},
    {kSeam, kPair, "M96 138 Q90 170 84 206 M112 140 Q110 180 108 212 M84 210 Q74 260 76 302 M106 216 Q100 262 102 306"},
    {kStitch, kPair, "M60 124 Q72 132 85 126"}};
constexpr ShapeLayer kSkirt[] = {
    {kCloth, kHalf, "M128 92 L90 92 L88 110 Q64 190 48 270 Q90 286 128 286"},
    {kTint, kHalf, "M128 92 L90 92 L88 110 Q110 114 128 114"},
    {kSeam, kPair, "M96 113 Q84 190 72 277 M108 114 Q102 190 96 283 M120 115 Q118 200 116 286"},
    {kSeam, kHalf, "M52 258 Q92 274 128 274"}};
constexpr ShapeLayer kTrousers[] = {
    {kCloth, kHalf, "M128 46 L88 46 Q80 120 70 298 L112 298 L126 136 L128 130"},
    {kTint, kHalf, "M128 46 L88 46 L87 60 L128 62"},
    {kSeam, kPair, "M88 64 Q90 92 84 104"}, {kSeam, kPair, "M103 66 Q98 180 91 298"}, {kSeam, kWhole, "M128 62 L128 130 M128 66 Q140 72 136 112 L128 118"},
    {kSeam, kPair, "M71 288 L112 288"}};
constexpr ShapeLayer kJeans[] = {
    {kCloth, kHalf, "M128 46 L88 46 Q80 120 80 298 L114 298 L126 138 L128 130"},
    {kCloth, kHalf, "M128 46 L88 46 L86 62 L128 64"},
    {kStitch, kPair, "M87 66 Q94 92 112 66"}, {kStitch, kPair, "M84 120 Q84 220 84 298"}, {kStitch, kPair, "M81 290 L114 290"},
    {kStitch, kWhole, "M128 64 L128 128 M134 66 Q144 84 138 112 L128 122"}, {kSeam, kPair, "M96 46 L96 63 M116 46 L116 64"},
    {kMetal, kWhole, "O 128 55 3.4"}, {kSeam, kPair, "M112 150 Q116 220 110 290"}};
constexpr ShapeLayer kLeggings[] = {
    {kCloth, kHalf, "M128 44 L92 44 Q82 110 92 180 Q96 240 98 300 L118 300 Q122 200 127 130 L128 126"},
    {kTint, kHalf, "M128 44 L92 44 L90 66 L128 68"},
    {kStitch, kPair, "M94 70 Q86 120 97 184 Q100 240 102 300"}, {kSeam, kWhole, "M128 68 L128 126"}, {kSeam, kPair, "M98 292 L118 292"}};
constexpr ShapeLayer kShorts[] = {
    {kCloth, kHalf, "M128 84 L86 84 Q74 150 62 226 L120 232 L127 164 L128 160"},
    {kTint, kHalf, "M128 84 L86 84 L84 100 L128 102"},
    {kSeam, kPair, "M84 102 Q88 128 78 144"}, {kSeam, kPair, "M64 214 L121 220"}, {kSeam, kWhole, "M128 102 L128 160"},
    {kWhite, kPair, "M124 98 Q116 116 120 136 L123 136 Q120 116 128 98 Z"}};
constexpr ShapeLayer kCoat[] = {
    {kShade, kHalf, "M128 120 L104 46 L128 50"},
    {kCloth, kHalf, "M128 128 L102 48 L76 60 Q56 68 50 118 L38 240 L64 246 L82 136 Q80 220 66 304 Q100 312 128 312"},
    {kTint, kPair, "M128 138 L104 46 L90 54 L92 92 L104 92 L100 102 Z"},
    {kSeam, kWhole, "M130 138 L132 312"}, {kSeam, kPair, "M82 136 Q78 96 86 60"}, {kSeam, kPair, "M40 226 L66 232"},
    {kTint, kPair, "M82 206 L110 202 L111 214 L82 218 Z"}, {kSeam, kPair, "M76 168 Q80 170 84 169"},
    {kDark, kPair, "O 114 156 3.8 O 114 188 3.8 O 114 232 3.8"}};
constexpr ShapeLayer kPuffer[] = {
    {kShade, kHalf, "M128 40 Q104 38 100 64 L128 76"},
    {kCloth, kHalf, "M128 70 Q108 66 98 56 Q80 58 66 72 Q48 84 40 128 L32 228 Q46 242 66 236 L80 146 Q76 200 78 264 Q104 274 128 272"},
    {kTint, kHalf, "M128 48 Q108 44 100 52 L98 72 Q112 80 128 82"},
    {kSeam, kPair, "M80 112 Q104 120 126 116 M79 146 Q104 154 126 150 M78 180 Q104 188 126 184 M77 214 Q104 222 126 218 M77 244 Q104 252 126 249"},
    {kSeam, kPair, "M47 108 Q64 120 84 112 M41 142 Q60 152 79 146 M38 174 Q54 182 73 178 M35 206 Q50 214 68 210"},
    {kStitch, kWhole, "M128 50 L128 272"}, {kMetal, kWhole, "M125 64 L131 64 L130 78 L126 78 Z"}};
constexpr ShapeLayer kJacket[] = {
    {kShade, kHalf, "M128 92 L106 50 L128 54"},
    {kCloth, kHalf, "M128 80 L102 52 L76 63 Q56 70 49 116 L38 222 L64 228 L80 134 Q82 190 80 246 Q104 252 128 252"},
    {kTint, kPair, "M128 84 L108 46 L94 56 L104 96 Z"},
    {kSeam, kWhole, "M128 84 L128 252"}, {kSeam, kPair, "M40 208 L66 214"}, {kSeam, kPair, "M80 134 Q76 96 86 62"}, {kSeam, kPair, "M80 236 Q104 242 128 242"},
    {kTint, kPair, "M90 124 L116 124 L116 134 L103 140 L90 134 Z"}, {kSeam, kPair, "M90 124 L90 156 L116 156 L116 124"}, {kSeam, kPair, "M98 158 L100 240"},
    {kMetal, kWhole, "O 132 110 2.6 O 132 140 2.6 O 132 170 2.6 O 132 200 2.6 O 132 230 2.6 O 103 134 2 O 153 134 2"}};
constexpr ShapeLayer kCami[] = {
    {kStrap, kPair, "M99 98 Q98 70 106 50"},
    {kCloth, kHalf, "M128 118 Q112 112 99 94 Q92 118 80 128 Q88 190 76 264 Q104 272 128 272"},
    {kSeam, kHalf, "M128 126 Q110 120 96 104"}, {kSeam, kPair, "M92 136 Q100 190 90 266"}, {kSeam, kPair, "M112 130 Q116 200 110 270"}};
constexpr ShapeLayer kSwimsuit[] = {
    {kShade, kHalf, "M128 140 Q104 132 96 52 L128 92"},
    {kCloth, kHalf, "M128 128 Q110 122 102 84 L98 48 L87 48 Q90 96 78 118 Q92 164 88 192 Q80 214 76 222 Q106 240 117 282 Q124 288 128 288"},
    {kTint, kHalf, "M128 172 Q106 170 90 166 L90 178 Q108 183 128 184"},
    {kSeam, kPair, "M82 222 Q108 240 121 282"}, {kSeam, kPair, "M104 132 Q96 146 86 146"}};
constexpr ShapeLayer kJumpsuit[] = {
    {kShade, kHalf, "M128 84 Q110 76 104 48 L128 52"},
    {kCloth, kHalf, "M128 82 Q112 76 104 46 L86 50 Q86 84 82 100 Q92 120 90 138 Q80 200 68 304 L112 304 L126 190 L128 186"},
    {kTint, kHalf, "M128 134 L90 132 L90 146 L128 148"},
    {kSeam, kPair, "M102 150 Q98 220 90 304"}, {kSeam, kWhole, "M128 82 L128 186"},
    {kWhite, kWhole, "O 128 98 2.4 O 128 114 2.4"}, {kSeam, kPair, "M88 152 Q92 168 84 180"}};
constexpr ShapeLayer kSocks[] = {
    {kCloth, kWhole, "M128 52 L172 52 L174 176 Q176 196 166 210 L130 258 Q112 274 98 260 Q88 246 100 228 L130 184 Z"},
    {kTint, kWhole, "M128 52 L172 52 L172 78 L128 78 Z"},
    {kCloth, kWhole, "M74 66 L118 66 L120 190 Q122 210 112 224 L76 270 Q58 286 44 272 Q34 258 46 240 L76 198 Z"},
    {kTint, kWhole, "M74 66 L118 66 L118 92 L75 92 Z"},
    {kShade, kWhole, "M82 263 L76 270 Q58 286 44 272 Q36 262 40 250 Q62 246 82 263 Z"},
    {kSeam, kWhole, "M82 68 L82 90 M90 68 L90 90 M98 68 L98 90 M106 68 L106 90 M136 54 L136 76 M144 54 L144 76 M152 54 L152 76 M160 54 L160 76"},
    {kSeam, kWhole, "M120 192 Q100 200 90 190"}};
constexpr ShapeLayer kSneaker[] = {
    {kCloth, kWhole, "M36 158 Q44 128 66 136 L92 146 Q112 172 152 188 Q212 196 218 222 L218 236 L32 236 Q28 196 36 158 Z"},
    {kTint, kWhole, "M172 192 Q212 198 218 222 L218 236 L166 236 Q158 210 172 192 Z"},
    {kShade, kWhole, "M36 158 Q40 142 50 138 Q62 170 58 236 L32 236 Q28 196 36 158 Z"},
    {kWhite, kWhole, "M28 234 L220 234 Q228 256 214 258 L40 258 Q26 256 28 234 Z"},
    {kStitch, kWhole, "M97 153 L84 164 M108 164 L95 176 M121 174 L108 187 M136 183 L124 196"},
    {kStitch, kWhole, "M70 150 Q92 196 150 206"}, {kSeam, kWhole, "M30 246 L220 246"}};
constexpr ShapeLayer kBoot[] = {
    {kCloth, kWhole, "M84 62 L150 62 L148 172 Q156 194 190 204 Q220 214 220 240 L82 240 Q78 150 84 62 Z"},
    {kShade, kWhole, "M104 62 L130 62 L128 132 Q117 140 106 132 Z"},
    {kDark, kWhole, "M78 240 L222 240 L222 254 L132 254 L128 270 L80 270 Z"},
    {kSeam, kWhole, "M84 76 L150 76"}, {kSeam, kWhole, "M82 222 Q130 214 168 200"}, {kStitch, kWhole, "M92 80 Q88 150 92 218"}};
constexpr ShapeLayer kBag[] = {
    {kStrap, kWhole, "M90 132 Q88 54 128 52 Q168 54 166 132"},
    {kCloth, kWhole, "M60 126 L196 126 L210 272 Q210 282 200 282 L56 282 Q46 282 46 272 Z"},
    {kTint, kWhole, "M60 126 L196 126 L198 146 L58 146 Z"},
    {kSeam, kWhole, "M50 262 L206 262"}, {kStitch, kWhole, "M66 150 L56 272 M190 150 L200 272"},
    {kMetal, kWhole, "O 90 136 5 O 166 136 5"}, {kWhite, kWhole, "M114 176 L142 176 L142 192 L114 192 Z"}};
constexpr ShapeLayer kScarf[] = {
    {kCloth, kWhole, "M134 116 L170 110 L188 268 L146 274 Z"},
    {kCloth, kWhole, "M98 116 L136 118 L128 288 L84 284 Z"},
    {kCloth, kWhole, "M76 70 Q128 30 180 70 Q196 104 166 126 Q128 142 92 126 Q60 104 76 70 Z"},
    {kShade, kWhole, "M92 76 Q128 56 164 76 Q160 96 128 98 Q96 96 92 76 Z"},
    {kSeam, kWhole, "M78 92 Q100 120 150 118"}, {kSeam, kWhole, "M112 128 Q106 200 104 284 M156 126 Q166 200 168 270"},
    {kStitch, kWhole, "M88 286 L86 300 M98 287 L97 301 M108 288 L107 302 M118 288 L117 302 M150 275 L151 289 M162 274 L164 288 M174 272 L176 286"}};
constexpr ShapeLayer kCap[] = {
    {kCloth, kWhole, "M78 190 C74 120 104 92 148 92 C196 94 216 130 214 186 Q146 166 78 190 Z"},
    {kShade, kWhole, "M78 190 Q40 202 22 236 Q86 216 150 208 Q196 200 214 186 Q146 166 78 190 Z"},
    {kStitch, kWhole, "M36 224 Q90 208 150 200 Q186 194 204 186"}, {kSeam, kWhole, "M148 92 Q108 116 106 180 M148 92 Q180 116 180 178"},
    {kTint, kWhole, "O 148 91 6"}, {kStitch, kWhole, "O 122 128 2 O 176 126 2"}};
constexpr ShapeLayer kBeanie[] = {
    {kTint, kWhole, "O 128 70 24"},
    {kCloth, kHalf, "M128 84 C80 84 58 128 58 204 L128 214"},
    {kTint, kHalf, "M128 196 Q86 194 54 186 Q48 214 52 240 Q90 250 128 250"},
    {kSeam, kPair, "M122 86 Q118 130 118 196 M112 88 Q98 130 98 195 M100 93 Q80 130 78 192"},
    {kSeam, kPair, "M66 190 L64 242 M78 193 L77 245 M90 195 L89 247 M102 196 L102 249 M115 197 L115 250"}};
constexpr ShapeLayer kSunglasses[] = {
    {kStrap, kPair, "M50 146 Q40 150 34 196"},
    {kStrap, kWhole, "M116 152 Q128 142 140 152"},
    {kCloth, kPair, "M122 150 C124 194 104 206 84 206 C56 206 42 186 44 146 C46 130 116 130 122 150 Z"},
    {kDark, kPair, "M113 154 C114 184 100 195 84 195 C64 195 53 182 54 152 C56 142 110 142 113 154 Z"},
    {kStitch, kPair, "M64 156 L78 156 M62 164 L70 164"}};
constexpr ShapeLayer kBelt[] = {
    {kCloth, kWhole, "M40 182 Q128 262 216 182 L216 150 Q128 226 40 150 Z"},
    {kShade, kWhole, "M40 150 Q128 96 216 150 L216 168 Q128 118 40 168 Z"},
    {kCloth, kWhole, "M146 196 L196 240 L178 262 L132 214 Z"},
    {kMetal, kWhole, "M106 184 L152 184 L152 236 L106 236 Z"}, {kShade, kWhole, "M114 192 L144 192 L144 228 L114 228 Z"},
    {kMetal, kWhole, "M128 206 L156 206 L156 213 L128 213 Z"}, {kDark, kWhole, "O 164 226 2.6 O 176 238 2.6"}};
constexpr ShapeLayer kEarrings[] = {
    {kMetal, kPair, "O 84 88 6"}, {kSeam, kPair, "M84 94 L84 118"},
    {kMetal, kPair, "M84 116 C46 120 42 196 84 200 C126 196 122 120 84 116 Z"},
    {kWhite, kPair, "M84 130 C60 134 58 184 84 187 C110 184 108 134 84 130 Z"},
    {kCloth, kPair, "M84 196 C66 212 66 238 84 244 C102 238 102 212 84 196 Z"}, {kStitch, kPair, "M78 216 Q76 226 80 234"}};

struct NamedShape {
  std::string_view name;
  std::span<const ShapeLayer> layers;
};

constexpr std::array kShapes = {
    NamedShape{"tee", kTee},           NamedShape{"shirt", kShirt},       NamedShape{"blouse", kBlouse},
    NamedShape{"jumper", kJumper},     NamedShape{"cardigan", kCardigan}, NamedShape{"hoodie", kHoodie},
    NamedShape{"dress", kDress},       NamedShape{"maxi_dress", kMaxiDress}, NamedShape{"skirt", kSkirt},
    NamedShape{"trousers", kTrousers}, NamedShape{"jeans", kJeans},       NamedShape{"leggings", kLeggings},
    NamedShape{"shorts", kShorts},     NamedShape{"coat", kCoat},         NamedShape{"puffer", kPuffer},
    NamedShape{"jacket", kJacket},     NamedShape{"cami", kCami},         NamedShape{"swimsuit", kSwimsuit},
    NamedShape{"jumpsuit", kJumpsuit}, NamedShape{"socks", kSocks},       NamedShape{"sneaker", kSneaker},
    NamedShape{"boot", kBoot},         NamedShape{"bag", kBag},           NamedShape{"scarf", kScarf},
    NamedShape{"cap", kCap},           NamedShape{"beanie", kBeanie},     NamedShape{"sunglasses", kSunglasses},
    NamedShape{"belt", kBelt},         NamedShape{"earrings", kEarrings}};

constexpr std::array<std::string_view, kShapes.size()> make_names() {
  std::array<std::string_view, kShapes.size()> names{};
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kShapes[i].name;
  return names;
}
constexpr auto kNames = make_names();

}  // namespace

std::span<const ShapeLayer> find_shape(std::string_view name) {
  const auto found = std::find_if(kShapes.begin(), kShapes.end(), [&](const NamedShape& shape) { return shape.name == name; });
  return found == kShapes.end() ? std::span<const ShapeLayer>() : found->layers;
}

std::span<const std::string_view> all_shape_names() { return kNames; }

}  // namespace scalestyle::catalog
