-- SPDX-License-Identifier: Apache-2.0
-- What a push of wxcourier looks like on the wire, for wrk.
wrk.method = "POST"
wrk.path = "/cgi-bin/message/template/send?access_token=72_bench-far-end-0123456789abcdefghijklmnopqrstuvwxyz-0123456789abcdefghijklmnopqrstuvwxyz"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"touser":"oWxCourier000000000000000001","template_id":"n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA",' ..
    '"url":"https://example.com/orders/2026/11/22?from=push&campaign=autumn",' ..
    '"miniprogram":{"appid":"wxfedcba9876543210","pagepath":"pages/order/detail?id=1"},' ..
    '"data":{"first":{"value":"@1@0@"},"keyword1":{"value":"巅峰单词 2026 冬季课程"},"keyword2":{"value":"¥ 128.00"},' ..
    '"keyword3":{"value":"2026-11-22 08:30"},"remark":{"value":"您的订单已发货，请留意收货信息。感谢您的支持！"}},' ..
    '"client_msg_id":"0123456789abcdef0123456789abcdef"}'
